import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { startScriptedModel } from '../../../../test/support/scripted-model.js'
import { startModelRig } from '../support/model-rig.js'

interface Proxy extends AsyncDisposable {
  url: string
  port: number
  /** What it was asked for: `CONNECT host:port`, or the method and address of a request that it forwards. */
  asked: string[]
}

/** A proxy that leads all to one port of this machine. @param tunnels the status with which it refuses to, or 200 */
async function startProxy(target: number, tunnels = 200): Promise<Proxy> {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const { pathname } = new URL(request.url ?? '/', 'http://x')
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      void fetch(`http://127.0.0.1:${target}${pathname}`, { method: 'POST', body: Buffer.concat(chunks) }).then(async (answer) =>
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(await answer.text()),
      )
    })
  })
  server.on('connect', (request, socket: Socket, head) => {
    asked.push(`CONNECT ${request.url}`)
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    if (tunnels !== 200) return void socket.end(`HTTP/1.1 ${tunnels} No\r\n\r\n`)
    const out = connect(target, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      out.write(head)
      out.pipe(socket).pipe(out)
    })
    out.on('error', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://user:secret@127.0.0.1:${port}`,
    port,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const MODEL = { ORRERY_MODEL: 'scripted', OPENAI_BASE_URL: 'http://model.corp.invalid/v1' }
const ONCE = { retries: 0 }

describe('requests to a model behind a proxy', () => {
  it.each([
    ['by its tunnel', 200, ['CONNECT model.corp.invalid:80']],
    [
      'by what it forwards, where it tunnels for https alone',
      403,
      ['CONNECT model.corp.invalid:80', 'POST http://model.corp.invalid/v1/chat/completions'],
    ],
  ])('go %s', async (_how, tunnels, asked) => {
    await using model = await startScriptedModel([{ text: 'behind' }])
    await using proxy = await startProxy(Number(new URL(model.url).port), tunnels)
    await using rig = await startModelRig({ env: { ...MODEL, http_proxy: proxy.url }, script: [] })
    expect(await rig.run('do it')).toMatchObject({ status: 'completed', result: 'behind' })
    expect(proxy.asked).toEqual(asked)
  })

  it.each([
    ['this machine', {}, 'MODEL_URL/v1'],
    ['hosts that NO_PROXY lists', { NO_PROXY: 'other.example, .corp.invalid' }, 'http://model.corp.invalid/v1'],
  ])('go directly to %s', async (_where, env, url) => {
    await using proxy = await startProxy(1)
    await using rig = await startModelRig({
      env: { ...MODEL, OPENAI_BASE_URL: url, HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, ...env },
      script: [{ text: 'direct' }],
      config: ONCE,
    })
    const session = await rig.run('do it')
    expect(proxy.asked).toEqual([])
    if (session['status'] === 'failed') {
      expect(session['error']).toMatch(/No model answers at .*(ENOTFOUND|EAI_AGAIN)/)
      expect(session['error']).not.toContain('proxy')
    } else expect(session['result']).toBe('direct')
  })

  it.each([
    ['refuses', 407, /through the proxy http:\/\/127\.0\.0\.1:\d+ \(HTTPS_PROXY\): Proxy response \(407\)/],
    ['is not there', null, /through the proxy http:\/\/127\.0\.0\.1:\d+ \(HTTPS_PROXY\): connect ECONNREFUSED/],
  ])('fail with an error that names the proxy, without its password, if it %s', async (_what, tunnels, error) => {
    const proxy = await startProxy(1, tunnels ?? 200)
    if (tunnels === null) await proxy[Symbol.asyncDispose]()
    const env = { ...MODEL, OPENAI_BASE_URL: 'https://model.corp.invalid/v1', HTTPS_PROXY: proxy.url }
    await using rig = await startModelRig({ env, script: [], config: ONCE })
    const session = await rig.run('do it')
    expect(session['error']).toMatch(error)
    expect(session['error']).not.toContain('secret')
    if (tunnels !== null) await proxy[Symbol.asyncDispose]()
  })
})
