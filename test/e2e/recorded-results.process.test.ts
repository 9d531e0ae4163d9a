import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEVICE_KEY, OPERATOR_KEY } from '../support/test-server.js'
import { WireClient, type Json } from '../support/wire-client.js'

const PROGRAM = fileURLToPath(new URL('../support/dying-server.ts', import.meta.url))

describe('the results of a batch', () => {
  let folder: string
  const running = new Set<ChildProcess>()
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'orrery-results-'))
  })
  afterEach(async () => {
    const ends = [...running].map((child) => once(child, 'exit'))
    for (const child of running) child.kill('SIGKILL')
    await Promise.all(ends)
    rmSync(folder, { recursive: true })
  })

  /** Starts the server of the program. @returns its address, and its end */
  async function start(fate: 'die' | 'live'): Promise<{ url: string; ended: Promise<unknown[]> }> {
    const child = spawn(process.execPath, [PROGRAM, folder, fate], { stdio: ['ignore', 'pipe', 'inherit'] })
    running.add(child)
    const ended = once(child, 'exit').finally(() => running.delete(child))
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    return { url: line.toString().trim(), ended }
  }

  it('are recorded before the agent gets them: a server that dies at that moment knows them at its next start', async () => {
    const first = await start('die')
    const device = await WireClient.register(first.url, DEVICE_KEY, { client_id: 'd1' })
    const { session_id: id } = await call(`${first.url}/api/sessions`, { device_id: 'd1', request: 'run the tool' })
    device.answer(await device.next(), 'done once')
    expect(await first.ended).toEqual([null, 'SIGKILL'])

    const second = await start('live')
    const again = await WireClient.register(second.url, DEVICE_KEY, { client_id: 'd1' })
    // This device could not be sent the batch a second time, so its results come from the log or are "interrupted".
    expect(await again.next()).toMatchObject({ type: 'task_end', session_id: id, status: 'completed' })
    expect(again.pending()).toEqual([])
    expect(await call(`${second.url}/api/sessions/${String(id)}`)).toMatchObject({
      status: 'completed',
      result: { status: 'success', result: 'done once' },
    })
  })
})

/** Calls the HTTP API; with a body it is a POST. */
async function call(url: string, body?: object): Promise<Json> {
  const headers = { 'x-api-key': OPERATOR_KEY, 'content-type': 'application/json' }
  const response = await fetch(url, body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) })
  return (await response.json()) as Json
}
