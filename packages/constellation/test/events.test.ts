import type { SessionEvent } from '@orrery/aip/api'
import { describe, expect, it } from 'vitest'
import { OrreryApi } from '../src/index.js'
import { frame, json, scriptedServer, session, stream, text } from './scripted-server.js'

const EVENTS = 'GET /api/sessions/s1/events'
const reconnect = { firstMs: 1, longestMs: 5, giveUpMs: 150 }

async function collect(events: AsyncIterable<SessionEvent>): Promise<string[]> {
  const seen: string[] = []
  for await (const event of events) seen.push(`${event.seq ?? '-'} ${event.type}`)
  return seen
}

describe('the event stream', () => {
  it('gives the events in order and ends after `ended`, though the connection stays open', async () => {
    await using server = await scriptedServer({
      [EVENTS]: stream([frame(1, 'accepted'), ': ping\n\n', frame(null, 'progress'), frame(2, 'ended')], 'open'),
    })
    const api = new OrreryApi({ server: server.url, apiKey: 'secret' })
    expect(await collect(api.sessions.events('s1'))).toEqual(['1 accepted', '- progress', '2 ended'])
    expect(server.seen[0]?.headers).toMatchObject({ 'x-api-key': 'secret', accept: 'text/event-stream' })
    expect(server.seen[0]?.headers).not.toHaveProperty('last-event-id')
  })

  it('continues where a connection was cut, gives no event twice and no half event', async () => {
    const second = frame(2, 'commands_sent')
    await using server = await scriptedServer({
      [EVENTS]: [
        stream([frame(1, 'accepted'), second.slice(0, -20)], 'cut'),
        stream([frame(1, 'accepted'), second], 'end'),
        text('<html>proxy</html>', 'text/html', 503),
        stream([frame(3, 'ended')]),
      ],
    })
    const api = new OrreryApi({ server: server.url, reconnect })
    expect(await collect(api.sessions.events('s1'))).toEqual(['1 accepted', '2 commands_sent', '3 ended'])
    expect(server.seen.map((request) => request.headers['last-event-id'])).toEqual([undefined, '1', '2', '2'])
  })

  it('starts after a given event', async () => {
    await using server = await scriptedServer({ [EVENTS]: stream([frame(8, 'ended')]) })
    expect(await collect(new OrreryApi({ server: server.url }).sessions.events('s1', { afterSeq: 7 }))).toEqual(['8 ended'])
    expect(server.seen[0]?.headers['last-event-id']).toBe('7')
  })

  it('ends when the caller has had `ended` already', async () => {
    await using server = await scriptedServer({ [EVENTS]: stream([]), 'GET /api/sessions/s1': json(session()) })
    const api = new OrreryApi({ server: server.url, reconnect })
    expect(await collect(api.sessions.events('s1', { afterSeq: 9 }))).toEqual([])
  })

  it('gives up when the stream is cut again and again', async () => {
    await using server = await scriptedServer({ [EVENTS]: stream([], 'cut') })
    await expect(collect(new OrreryApi({ server: server.url, reconnect }).sessions.events('s1'))).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
    })
    expect(server.seen.length).toBeGreaterThan(3)
  })

  it('waits for a server that has answered before, even if the first connection of the stream fails', async () => {
    await using server = await scriptedServer({
      'GET /api/sessions/s1': json(session()),
      [EVENTS]: [(request) => request.socket.destroy(), stream([frame(1, 'ended')])],
    })
    const api = new OrreryApi({ server: server.url, reconnect })
    await api.sessions.get('s1')
    expect(await collect(api.sessions.events('s1'))).toEqual(['1 ended'])
  })

  it('fails at once when the server was never there, or refuses', async () => {
    const gone = await scriptedServer({})
    await gone[Symbol.asyncDispose]()
    await expect(collect(new OrreryApi({ server: gone.url }).sessions.events('s1'))).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
    })
    await using server = await scriptedServer({ [EVENTS]: json({ detail: 'unknown', code: 'SESSION_NOT_FOUND' }, 404) })
    const refused = collect(new OrreryApi({ server: server.url }).sessions.events('s1'))
    await expect(refused).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND', status: 404 })
    expect(server.seen).toHaveLength(1)
  })

  it('tells a page from an event stream, and an unreadable event from an event', async () => {
    await using page = await scriptedServer({ [EVENTS]: text('<html>', 'text/html') })
    await expect(collect(new OrreryApi({ server: page.url }).sessions.events('s1'))).rejects.toMatchObject({
      code: 'INVALID_MESSAGE',
    })
    await using broken = await scriptedServer({ [EVENTS]: stream(['id: 1\nevent: accepted\ndata: {"seq": \n\n']) })
    await expect(collect(new OrreryApi({ server: broken.url }).sessions.events('s1'))).rejects.toMatchObject({
      code: 'INVALID_MESSAGE',
    })
  })

  it('ignores event types that only a newer server knows', async () => {
    await using server = await scriptedServer({ [EVENTS]: stream([frame(1, 'from_tomorrow'), frame(2, 'ended')]) })
    expect(await collect(new OrreryApi({ server: server.url }).sessions.events('s1'))).toEqual(['2 ended'])
  })

  it("ends at the caller's signal, also while it waits to connect again", async () => {
    await using server = await scriptedServer({ [EVENTS]: stream([frame(1, 'accepted')]) })
    const stop = new AbortController()
    const api = new OrreryApi({ server: server.url, reconnect: { firstMs: 60_000, longestMs: 60_000 } })
    const all = collect(api.sessions.events('s1', { signal: stop.signal }))
    setTimeout(() => stop.abort(), 50)
    await expect(all).rejects.toMatchObject({ name: 'AbortError' })
  })
})
