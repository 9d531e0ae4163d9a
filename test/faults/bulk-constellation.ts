import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { DeviceRig } from './device-rig.ts'
import { newTask, type FaultTask } from './task.ts'
import type { Tasks } from './tasks.ts'

type Message = Record<string, unknown>

/** An acknowledgement that does not come within this time is waited for no longer, in milliseconds. */
const ACK_TIME = 10_000

/** What a {@link BulkConstellation} is made of. */
export interface BulkOptions {
  /** Of the server's socket, with the key. */
  url: string
  tasks: Tasks
  /** Whether it has the feature resume: it comes back to its tasks, and acknowledges their ends. */
  resumes: boolean
}

/** A constellation of one fault: it asks for large results, and can stop reading. */
export class BulkConstellation {
  readonly name = `reader-${randomUUID()}`
  readonly #options: BulkOptions
  /** Tasks whose ends it has not got, with the least length of their results, by session id. */
  readonly #open = new Map<string, { task: FaultTask; length: number }>()
  #unacknowledged = 0
  #token: string | null = null
  #socket: WebSocket | null = null
  #closed: Promise<unknown> = Promise.resolve()

  constructor(options: BulkOptions) {
    this.#options = options
  }

  /** Connects and registers. @returns whether it was let in */
  async connect(): Promise<boolean> {
    const socket = new WebSocket(this.#options.url, { perMessageDeflate: false })
    this.#socket = socket
    this.#closed = new Promise((resolve) => socket.once('close', resolve))
    const { promise, resolve } = Promise.withResolvers<boolean>()
    void this.#closed.then(() => resolve(false))
    socket.on('error', () => {})
    socket.on('open', () => {
      const token = this.#token === null ? {} : { resume_token: this.#token }
      const aip = { version: 1, features: ['resume'], ...token }
      this.#send({ type: 'register', ...(this.#options.resumes ? { metadata: { aip } } : {}) })
    })
    let registered = false
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Message
      if (registered) return this.#take(message)
      registered = true
      const { aip } = (message['result'] ?? {}) as { aip?: { resume_token?: string } }
      this.#token = aip?.resume_token ?? this.#token
      resolve(message['status'] === 'ok')
    })
    return promise
  }

  /** Asks for a task. @param pad characters that its result is longer; null for a usual one */
  ask(device: DeviceRig, pad: number | null): FaultTask {
    const task = this.#options.tasks.expected(newTask(device, this.name))
    const { name, nonce } = task
    const inputs = pad === null ? { before_ms: '20', after_ms: '20' } : { pad: String(pad) }
    const request = `workflow:${pad === null ? 'marks' : 'bulk'} ${JSON.stringify({ task: name, nonce, ...inputs })}`
    this.#open.set(name, { task, length: pad ?? 0 })
    this.#unacknowledged += 1
    this.#send({ type: 'task', target_id: device.id, session_id: name, task_name: name, request_id: name, request })
    return task
  }

  /** Waits until the server has answered all requests. @returns whether it did */
  async answered(): Promise<boolean> {
    const limit = Date.now() + ACK_TIME
    while (this.#unacknowledged > 0 && this.isOpen && Date.now() < limit) await sleep(5)
    return this.#unacknowledged === 0
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN
  }

  /** Stops reading. */
  pause(): void {
    this.#socket?.pause()
  }

  /** Reads again. */
  resume(): void {
    this.#socket?.resume()
  }

  /** Waits for the ends of its tasks, on this connection, or on further ones if it can resume; without, it leaves its tasks when it drops. */
  async untilEnded(): Promise<void> {
    const { tasks, resumes } = this.#options
    const limit = tasks.limit()
    while (this.#open.size > 0 && Date.now() < limit) {
      if (this.isOpen) await sleep(20)
      else if (!resumes) return this.leave()
      else if (!(await this.connect())) await sleep(200)
    }
    for (const { task } of this.#open.values()) if (task.sessionId !== null) tasks.hung(task, `${this.name} did not get its end`)
    await this.leave()
  }

  /** Closes the connection; its tasks may be cancelled. */
  async leave(): Promise<void> {
    this.#options.tasks.abandoned(this.name)
    this.#socket?.resume()
    this.#socket?.terminate()
    await this.#closed
  }

  #send(message: Message): void {
    this.#socket?.send(JSON.stringify({ status: 'ok', client_type: 'constellation', client_id: this.name, ...message }))
  }

  #take(message: Message): void {
    const { tasks, resumes } = this.#options
    const sessionId = typeof message['session_id'] === 'string' ? message['session_id'] : ''
    if (message['type'] === 'task_end') {
      const open = this.#open.get(sessionId)
      // An end that it has acknowledged may come once more: the acknowledgement may be lost.
      if (open !== undefined || !resumes) tasks.delivered(this.name, sessionId, message['result'])
      if (open !== undefined && message['status'] === 'completed') this.#checkLength(open, message['result'])
      this.#open.delete(sessionId)
      if (resumes) this.#send({ type: 'task_end', session_id: sessionId })
    } else if (message['type'] === 'error') this.#unacknowledged -= 1
    else if (sessionId !== '') {
      this.#unacknowledged -= 1
      tasks.acknowledged(sessionId)
    }
  }

  #checkLength({ task, length }: { task: FaultTask; length: number }, result: unknown): void {
    const [first] = Array.isArray(result) ? (result as { result: unknown }[]) : []
    const text = typeof first?.result === 'string' ? first.result : ''
    if (text.length < length) this.#options.tasks.incomplete(task, `${text.length} characters of ${length} were delivered`)
  }
}
