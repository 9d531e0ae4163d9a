// Uses the HTTP client where a browser would: no module and no global of Node's. Arguments: the server's address and a session id.
import { isBuiltin, registerHooks } from 'node:module'

const [, , server, sessionId] = process.argv
registerHooks({
  resolve(specifier, context, next) {
    if (isBuiltin(specifier)) throw new Error(`${context.parentURL} imports ${specifier}`)
    const source = context.parentURL?.endsWith('.ts') && specifier.startsWith('.')
    return next(source ? specifier.replace(/\.js$/, '.ts') : specifier, context)
  },
})
const print = console.log
// Node's own `fetch` needs some of its globals, so they are hidden from the code of files alone.
for (const name of ['process', 'Buffer', 'global', 'setImmediate', 'clearImmediate']) {
  const value = globalThis[name]
  Object.defineProperty(globalThis, name, {
    get() {
      const caller = new Error('trace').stack?.split('\n')[2] ?? ''
      if (caller.includes('file:')) throw new ReferenceError(`${name} is not defined${caller}`)
      return value
    },
  })
}

const { OrreryApi } = await import('@orrery/constellation/api')
const api = new OrreryApi({ server, apiKey: 'secret', reconnect: { firstMs: 1 } })
const devices = await api.devices.list()
const events = []
for await (const event of api.sessions.events(sessionId)) events.push(event.type)
const { content } = await api.devices.readFile('lab', 'x')
let read = ''
for await (const piece of content) read += new TextDecoder().decode(piece)
const written = await api.devices.writeFile('lab', 'y', { bytes: new Blob(['hello']), size: 5 })
const refused = await api.sessions.get('gone').catch(({ code }) => code)
print(JSON.stringify({ devices: devices.length, events, read, written: written.bytes, refused }))
