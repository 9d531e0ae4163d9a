import { isBuiltin } from 'node:module'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { rolldown } from 'rolldown'
import { describe, expect, it } from 'vitest'
import { frame, json, scriptedServer, stream } from './scripted-server.js'

const ENTRY = fileURLToPath(new URL('../src/api/index.ts', import.meta.url))

/** What a page has, besides the language. */
const GLOBALS = [
  'AbortController',
  'AbortSignal',
  'Blob',
  'Headers',
  'ReadableStream',
  'TextDecoder',
  'TextDecoderStream',
  'TextEncoder',
  'TransformStream',
  'URL',
  'URLSearchParams',
  'clearTimeout',
  'crypto',
  'fetch',
  'setTimeout',
  'console',
] as const

/** Bundles the entry point as a script for a page. @returns the script, and the modules of Node that it would need */
async function bundled(): Promise<{ script: string; builtins: string[] }> {
  const builtins: string[] = []
  await using bundle = await rolldown({
    input: ENTRY,
    platform: 'browser',
    resolve: { conditionNames: ['orrery-source', 'browser', 'import', 'module', 'default'] },
    external: (name, importer) => {
      if (!isBuiltin(name)) return false
      builtins.push(`${name} in ${importer}`)
      return true
    },
    checks: { circularDependency: false },
    logLevel: 'warn',
  })
  const { output } = await bundle.generate({ format: 'iife', name: 'sdk' })
  expect(output).toHaveLength(1)
  return { script: output[0].code, builtins }
}

describe('the entry point @orrery/constellation/api, bundled for a page', () => {
  it('needs no module of Node and no global but those of a page', async () => {
    await using server = await scriptedServer({
      'GET /api/devices': json({ devices: [], position: '' }),
      'GET /api/sessions/s1/events': [stream([frame(1, 'accepted'), frame(2, 'ended')])],
      'GET /api/sessions/gone': json({ detail: 'unknown', code: 'SESSION_NOT_FOUND' }, 404),
    })
    const { script, builtins } = await bundled()
    expect(builtins).toEqual([])
    const page = createContext(Object.fromEntries(GLOBALS.map((name) => [name, globalThis[name]])))
    runInContext(script, page)
    const use = `(async () => {
      const api = new sdk.OrreryApi({ server: '${server.url}', apiKey: 'secret' })
      const events = []
      for await (const { type } of api.sessions.events('s1')) events.push(type)
      const refused = await api.sessions.get('gone').catch((error) => error.code)
      const devices = await api.devices.list()
      return JSON.stringify({ events, refused, devices, process: typeof process, buffer: typeof Buffer })
    })()`
    expect(JSON.parse((await runInContext(use, page)) as string)).toEqual({
      events: ['accepted', 'ended'],
      refused: 'SESSION_NOT_FOUND',
      devices: [],
      process: 'undefined',
      buffer: 'undefined',
    })
  })
})
