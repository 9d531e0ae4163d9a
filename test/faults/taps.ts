import { clientFrame } from './frames.ts'
import type { Direction, FaultProxy, Link, Tap } from './fault-proxy.ts'

/** A frame that does not come within this time is waited for no longer, in milliseconds. */
const FRAME_TIME = 8000

/** What one frame is used for. @returns null if it is not the one; else whether it was dealt with */
type Use = (link: Link, direction: Direction, frame: { bytes: Buffer; text: string }) => boolean | null

/** Uses one text frame of a proxy. @returns whether it came */
async function once(proxy: FaultProxy, use: Use): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const tap: Tap = (link, direction, { bytes, text }) => {
    if (text === null) return false
    const dealt = use(link, direction, { bytes, text })
    if (dealt === null) return false
    proxy.tap = null
    resolve(true)
    return dealt
  }
  proxy.tap = tap
  const timer = setTimeout(() => resolve(false), FRAME_TIME)
  const came = await promise
  clearTimeout(timer)
  if (proxy.tap === tap) proxy.tap = null
  return came
}

/** Lets half of the next frame through and ends the connection. */
export function cutFrame(proxy: FaultProxy, wanted: Direction): Promise<boolean> {
  return once(proxy, (link, direction, { bytes }) => {
    if (direction !== wanted) return null
    link.inject(direction, bytes.subarray(0, Math.ceil(bytes.length / 2)))
    setImmediate(() => link.cut('fin'))
    return true
  })
}

/** Delivers the next results twice. */
export function repeatResults(proxy: FaultProxy): Promise<boolean> {
  return once(proxy, (link, direction, { bytes, text }) => {
    if (!isResults(direction, text)) return null
    link.inject(direction, bytes)
    link.inject(direction, bytes)
    return true
  })
}

/** Takes the next results out, cuts the connection, and delivers them on the next one. */
export async function delayResults(proxy: FaultProxy, afterMs: number): Promise<boolean> {
  let held: Buffer = Buffer.alloc(0)
  const came = await once(proxy, (link, direction, { bytes, text }) => {
    if (!isResults(direction, text)) return null
    held = bytes
    setImmediate(() => link.cut('fin'))
    return true
  })
  if (!came) return false
  // The first two frames of a connection are registration and confirmation.
  const arrived = await once(proxy, (link, direction) => {
    if (direction === 'to-device' && link.passed['to-device'] === 0) return null
    setTimeout(() => link.inject('to-server', held), afterMs)
    return false
  })
  return arrived
}

/** Before the next results of one device arrive, another device sends forged ones in its name. */
export async function forgeResults(proxy: FaultProxy, forger: FaultProxy, forgerId: string): Promise<boolean> {
  return once(proxy, (link, direction, { bytes, text }) => {
    const [other] = forger.links
    if (!isResults(direction, text) || other === undefined) return null
    const message = JSON.parse(text) as Record<string, unknown>
    const results = message['action_results'] as Record<string, unknown>[]
    for (const result of results) Object.assign(result, { status: 'success', result: 'forged' })
    const forged = JSON.stringify({ ...message, client_id: forgerId, action_results: results })
    other.inject('to-server', clientFrame(forged))
    setTimeout(() => link.inject(direction, bytes), 50)
    return true
  })
}

function isResults(direction: Direction, text: string): boolean {
  return direction === 'to-server' && text.includes('"command_results"')
}
