import { setTimeout as sleep } from 'node:timers/promises'
import { Book } from './book.ts'
import { inject } from './inject.ts'
import { judgeAll } from './judge.ts'
import { KINDS, type Kind } from './kinds.ts'
import { planFaults, type Fault } from './plan.ts'
import { httpRequester } from './requesters.ts'
import { Tasks } from './tasks.ts'
import { wireRequester } from './wire-requester.ts'
import { World } from './world.ts'

/** How a run is made. */
export interface RunOptions {
  count: number
  seed: number
  devices: number
  /** Only these kinds. */
  kinds?: readonly Kind[] | undefined
  /** No fault begins after this many milliseconds; what was injected is judged. */
  limitMs?: number
  /** Keep the folder with logs even if nothing is broken. */
  keep?: boolean
  /** Called after each fault. */
  onFault?: (done: number) => void
}

/** A command that is waited for comes within this time, or the fault is injected without, in milliseconds. */
const COMMAND_TIME = 5000
/** Requesters of each device, and those on the wire for all. */
const REQUESTERS = { http: 2, wire: 2 } as const

/** Injects faults into real processes at work, and judges what happened to every task. @returns the results, and the folder with logs if it stays */
export async function runFaults(options: RunOptions): Promise<{ book: Book; folder: string | null }> {
  const { count, seed, devices, kinds } = options
  const plan = planFaults({ count, seed, devices, ...(kinds === undefined ? {} : { kinds }) })
  const book = new Book()
  await using world = await World.start(devices)
  const tasks = new Tasks(() => world.server.troubles.at(-1)?.to === Infinity)
  const ended = new AbortController()
  const requesters = startRequesters(world, tasks, seed, ended.signal)
  const until = Date.now() + (options.limitMs ?? Infinity)
  let faults = 0
  const injectAll = async (list: readonly Fault[]): Promise<void> => {
    for (const fault of list) {
      if (Date.now() > until) return
      await injectOne(fault, world, tasks, book)
      options.onFault?.((faults += 1))
    }
  }
  await Promise.all([...plan.devices, plan.server].map(injectAll))
  ended.abort()
  await Promise.all(requesters)
  for (const device of world.devices) {
    if (device.program.alive) continue
    book.findings.push({ breach: 'other', detail: `${device.id} has ended by itself`, fault: null })
  }
  // What is judged has outlived one more end of the server. If it cannot be judged, the folder shows why.
  world.keep = true
  await world.server.program.kill()
  await world.server.start()
  await judgeAll(tasks, world.server, book, world.folder)
  world.keep = options.keep === true || book.findings.length > 0
  return { book, folder: world.keep ? world.folder : null }
}

function startRequesters(world: World, tasks: Tasks, seed: number, signal: AbortSignal): Promise<void>[] {
  const { api, port, key } = world.server
  const [first, ...others] = world.devices
  if (first === undefined) return []
  const numbers = (length: number): number[] => Array.from({ length }, (_, index) => index)
  const http = world.devices.flatMap((device, place) =>
    numbers(REQUESTERS.http).map((index) =>
      httpRequester(`requester-${place}-${index}`, device, { api, tasks, seed: seed + place * 100 + index, signal }),
    ),
  )
  const url = `ws://127.0.0.1:${port}/ws?token=${key}`
  const wire = numbers(REQUESTERS.wire).map((index) =>
    wireRequester(`constellation-${index}`, [first, ...others], { url, tasks, seed: seed + 10_000 + index, signal }),
  )
  return [...http, ...wire]
}

async function injectOne(fault: Fault, world: World, tasks: Tasks, book: Book): Promise<void> {
  const device = world.devices[fault.device]
  if (device === undefined) return
  const waitUntil = Date.now() + COMMAND_TIME
  while (fault.duringCommand && device.ledger.running === 0 && Date.now() < waitUntil) await sleep(5)
  if (!fault.duringCommand) await sleep(fault.delayMs)
  const entry = { fault, at: Date.now(), duringCommand: device.ledger.running > 0, recoveryMs: null as number | null }
  book.injected.push(entry)
  if (!(await inject(fault, world, tasks))) {
    book.injected.splice(book.injected.indexOf(entry), 1)
    book.missed.push(fault)
    return
  }
  const over = Date.now()
  const limit = tasks.limit()
  while (tasks.lastEnd(device.id) <= over && Date.now() < limit) await sleep(5)
  if (Date.now() < limit) entry.recoveryMs = tasks.lastEnd(device.id) - over
  else book.findings.push({ breach: 'hung', detail: `${device.id}: ${KINDS[fault.kind].title}: no session ended`, fault })
}
