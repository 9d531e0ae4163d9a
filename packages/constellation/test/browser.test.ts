import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { frame, json, scriptedServer, stream } from './scripted-server.js'

const PAGE = fileURLToPath(new URL('support/browser-page.mjs', import.meta.url))

describe('the entry point @orrery/constellation/api', () => {
  it("works where there is neither a module nor a global of Node's", async () => {
    const written = { session_id: 's2', path: '/y', bytes: 5, checksum: 'c', created: true }
    await using server = await scriptedServer({
      'GET /api/devices': json({ devices: [] }),
      'GET /api/sessions/s1/events': [stream([frame(1, 'accepted')], 'cut'), stream([frame(2, 'ended')])],
      'GET /api/devices/lab/files?path=x': (_request, response) =>
        void response.writeHead(200, { 'content-length': 2, 'x-orrery-session-id': 's1' }).end('hi'),
      'PUT /api/devices/lab/files?path=y&overwrite=false': json(written),
      'GET /api/sessions/gone': json({ detail: 'unknown', code: 'SESSION_NOT_FOUND' }, 404),
    })
    const args = ['--conditions=orrery-source', PAGE, server.url, 's1']
    const { stdout } = await promisify(execFile)(process.execPath, args)
    expect(JSON.parse(stdout)).toEqual({
      devices: 0,
      events: ['accepted', 'ended'],
      read: 'hi',
      written: 5,
      refused: 'SESSION_NOT_FOUND',
    })
    expect(server.seen.find(({ line }) => line.startsWith('PUT'))).toMatchObject({
      body: 'hello',
      headers: { 'content-length': '5' },
    })
  })
})
