import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Api, SessionEvent, SessionState } from './api.ts'
import type { Book, Breach } from './book.ts'
import type { ServerRig } from './server-rig.ts'
import type { FaultTask } from './task.ts'
import type { Tasks } from './tasks.ts'

interface Command {
  call_id: string
  parameters: Record<string, unknown> | null
}
interface Result {
  call_id: string
  status: string
  error: string | null
  result: unknown
}

/** A session that does not end within this time after the last fault never will, in milliseconds. */
const LAST_WAIT = 30_000
/** A request is this long on its way, at most, in milliseconds. */
const IN_FLIGHT = 100
/** How many sessions are looked at at once. */
const AT_ONCE = 8

/**
 * Looks at every task after the last fault, and writes what is broken into the book.
 * @param folder gets a file with all that is known of each task that has something broken
 */
export async function judgeAll(tasks: Tasks, server: ServerRig, book: Book, folder: string): Promise<void> {
  const report = (task: FaultTask, breach: Breach, detail: string): void => {
    const fault = book.lastBefore(deviceNumber(task), task.endedAt ?? Date.now())
    book.findings.push({ breach, detail: `task ${task.name} on ${task.device.id}: ${detail}`, fault })
  }
  for (const { task, breach, detail } of tasks.noticed) report(task, breach, detail)
  const left = [...tasks.all]
  const work = async (): Promise<void> => {
    for (let task = left.pop(); task !== undefined; task = left.pop()) {
      const current = task
      const session = await sessionOf(task, server.api)
      if (session === undefined) {
        if (task.sessionId !== null) report(task, 'lost', 'the server does not know it')
        continue
      }
      const fault = book.lastBefore(deviceNumber(task), task.endedAt ?? Date.now())
      book.count(book.accepted, fault)
      const events = session.ended_at === null ? [] : await server.api.events(session.session_id)
      const judged = judge(task, session, events, server, (breach, detail) => {
        report(current, breach, detail)
        const { device, ...known } = current
        writeFileSync(
          join(folder, `${current.name}.json`),
          JSON.stringify({ ...known, session, events, troubles: device.troubles }, null, 1),
        )
      })
      if (judged.interrupted) book.count(book.interrupted, fault)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

function judge(
  task: FaultTask,
  session: SessionState,
  events: readonly SessionEvent[],
  server: ServerRig,
  report: (breach: Breach, detail: string) => void,
): { interrupted: boolean } {
  if (session.ended_at === null) {
    report('lost', `is still ${session.status}`)
    return { interrupted: false }
  }
  const end = Math.max(task.endedAt ?? 0, Date.parse(session.ended_at)) + 500
  const troubles = [...task.device.troubles, ...server.troubles].filter(({ from, to }) => from <= end && to >= task.askedAt)
  const full = troubles.some(({ kind }) => kind === 'full')
  const intruded = troubles.some(({ kind }) => kind === 'intruder')
  // What is asked while another client has the id is for that client to answer: its key says that it may be a device.
  const theirs = troubles.some(({ kind, from }) => kind === 'intruder' && from <= task.askedAt + IN_FLIGHT)
  const killed = troubles.some(({ kind }) => kind === 'killed')
  const ends = events.filter(({ type }) => type === 'ended').length
  if (ends !== 1) report(ends === 0 ? 'lost' : 'other', `has ${ends} ends`)
  if (task.status !== null && task.status !== session.status) report('other', `was ${task.status}, is ${session.status}`)
  // Without its token a device does not get its sessions back.
  if (!intruded && session.status === 'failed' && session.error?.includes('disconnected') === true)
    report('disconnected', session.error)
  if (session.status === 'cancelled' && !task.abandoned) report('other', `was cancelled: ${session.error}`)

  const commands = events.flatMap(({ type, data }) => (type === 'commands_sent' ? (data['commands'] as Command[]) : []))
  const answers = events.flatMap(({ type, data }) => (type === 'results_received' ? [data] : []))
  const responses = answers.map((data) => String(data['response_id']))
  if (new Set(responses).size < responses.length) report('other', 'results were recorded twice')
  const results = new Map(answers.flatMap((data) => (data['results'] as Result[]).map((result) => [result.call_id, result])))

  let failed = false
  let interrupted = false
  for (const { call_id: id, parameters } of commands) {
    const call = String(parameters?.['call'])
    if (parameters?.['task'] !== task.name) report('wrong', `has a command of ${String(parameters?.['task'])}`)
    const times = task.device.ledger.times(task.name, call)
    if (times > 1) report('twice', `${call} ran ${times} times`)
    const result = results.get(id)
    if (result === undefined) {
      failed = true
      continue
    }
    failed ||= result.status !== 'success'
    if (result.status === 'success' && !theirs) {
      const own = typeof result.result !== 'string' || result.result.startsWith(`${task.name} ${call} ${task.nonce}`)
      if (!own) report('wrong', `${call} was answered with ${String(result.result).slice(0, 120)}`)
      if (task.device.ledger.effects(task.name, call) === 0) report('other', `${call} is a success without an effect`)
    } else if (result.error?.startsWith('interrupted') === true) {
      interrupted = true
      // Without room in the journal it is known that a command began, but not how it ended.
      if (!killed && !full) report('other', `${call} was interrupted although its device lived`)
    } else if (result.status === 'failure' && !full && !intruded && session.status !== 'cancelled') {
      report('other', `${call} failed: ${result.error}`)
    }
  }
  if (session.status === 'failed' && !failed && !full && !intruded) report('other', `failed: ${session.error}`)
  return { interrupted }
}

/** A session when it has ended, or when it had the time to. */
async function sessionOf(task: FaultTask, api: Api): Promise<SessionState | undefined> {
  const limit = Date.now() + LAST_WAIT
  for (;;) {
    const { status, body } = await api.read(`/api/sessions/${task.sessionId ?? task.name}`)
    if (status === 404) return undefined
    const session = body as SessionState
    if (session.ended_at !== null || Date.now() > limit) return session
    await sleep(100)
  }
}

function deviceNumber(task: FaultTask): number {
  return Number(task.device.id.replace(/^\D+/, '')) - 1
}
