import {
  AipError,
  DeviceInfoProtocol,
  TaskExecutionProtocol,
  isAipError,
  messageOf,
  parseUrl,
  silentLogger,
  systemClock,
  type Clock,
  type Logger,
  type ServerMessage,
} from '@orrery/aip'
import { trustingFetch, type ServerTrust } from '@orrery/aip/node'
import { OrreryApi } from '../api/orrery-api.js'
import { ConstellationError, asConstellationError } from './constellation-error.js'
import type { ConstellationOptions, DeviceState, DeviceTarget, RunTaskOptions } from './constellation-options.js'
import { ServerLink, type LinkState } from './server-link.js'
import { TaskRun } from './task-run.js'

/** Default of {@link RunTaskOptions.timeoutMs} (galaxy reference, chapter 2). */
const TASK_TIME = 1_000_000

interface Target extends Required<Pick<DeviceTarget, 'deviceId'>> {
  link: ServerLink
  api: OrreryApi
  state: DeviceState
}

/**
 * Gives tasks to devices over the Agent Interaction Protocol, through one or several servers, and collects the results.
 * Works with Orrery's servers and with existing ones.
 */
export class ConstellationClient {
  readonly name: string
  readonly #options: ConstellationOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #targets = new Map<string, Target>()
  /** By address and target. */
  readonly #links = new Map<string, ServerLink>()
  /** Live runs by session id. */
  readonly #runs = new Map<string, TaskRun>()
  /** The last run in line for a device whose server does not queue tasks itself. */
  readonly #last = new Map<string, TaskRun>()

  /** @throws {ApiClientError} `INVALID_INPUT` if the address of a server is not an address */
  constructor(options: ConstellationOptions) {
    this.name = options.name
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    for (const device of options.devices ?? []) this.addDevice(device)
  }

  /** Adds a device, replacing one with the same id; does not connect. @throws as the constructor does */
  addDevice({ deviceId, server, apiKey, trust }: DeviceTarget): void {
    const { api, url } = addresses(server, apiKey, trust)
    const target = this.#options.connection === 'server' ? undefined : deviceId
    const key = `${url} ${target ?? ''} ${JSON.stringify(trust ?? null)}`
    const link = this.#links.get(key) ?? this.#newLink(url, target, trust)
    this.#links.set(key, link)
    this.#targets.set(deviceId, { deviceId, link, api, state: { deviceId, status: link.state, reason: null } })
  }

  /** The devices and the state of their connections. */
  get devices(): readonly Readonly<DeviceState>[] {
    return [...this.#targets.values()].map(({ state }) => state)
  }

  /**
   * Connects to the server of a device and registers there, with as many attempts as the options allow.
   * @throws {ConstellationError} `DEVICE_UNKNOWN`, `UNAUTHORIZED`, or `NOT_CONNECTED` with the reason of the last attempt
   */
  async connect(deviceId: string): Promise<void> {
    const { link } = this.#target(deviceId)
    try {
      await link.connect()
    } catch (error) {
      throw asConstellationError(error, deviceId, 'NOT_CONNECTED')
    }
  }

  /** Connects to the servers of all devices. @returns what went wrong, one entry per device; empty if all are connected */
  async connectAll(): Promise<ConstellationError[]> {
    const attempts = await Promise.allSettled([...this.#targets.keys()].map((deviceId) => this.connect(deviceId)))
    return attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason as ConstellationError] : []))
  }

  /**
   * Returns what the server knows about a device: what the device reported when it registered.
   * @throws {ConstellationError} `REFUSED` with the server's text, `NOT_CONNECTED`, `CONNECTION_LOST` or `TIMEOUT`
   */
  async requestDeviceInfo(deviceId: string): Promise<Record<string, unknown>> {
    const { link } = this.#target(deviceId)
    const requestId = crypto.randomUUID()
    try {
      await link.ready()
      const answer = await link.ask(
        (aip) => new DeviceInfoProtocol(aip).requestDeviceInfo(this.#clientId(deviceId), deviceId, requestId),
        (message) => message.type === 'device_info_response' && message.response_id === requestId,
      )
      const info = (answer.result ?? {}) as Record<string, unknown>
      const keys = Object.keys(info)
      if (keys.length === 1 && typeof info['error'] === 'string') throw new ConstellationError('REFUSED', deviceId, info['error'])
      return info
    } catch (error) {
      throw asConstellationError(error, deviceId, 'REFUSED')
    }
  }

  /**
   * Gives a device a task. Tasks of one device run one after the other.
   * @param request words, or `workflow:NAME {"input": "value"}`
   * @returns the run; whatever goes wrong rejects its `result`
   */
  runTask(deviceId: string, request: string, options: RunTaskOptions = {}): TaskRun {
    const taskId = options.taskId ?? crypto.randomUUID()
    const sessionId = `${this.name}@${taskId}`
    const taskName = options.taskName ?? `${this.name}/${taskId}`
    const run = new TaskRun(
      { deviceId, taskId, sessionId, request, taskName },
      {
        cancel: (task) => this.#cancel(task),
        events: (task, signal) => {
          const { link, api } = this.#target(deviceId)
          return link.negotiates ? api.sessions.events(task.sessionId, signal === undefined ? {} : { signal }) : null
        },
      },
    )
    if (this.#runs.has(sessionId)) run.fail('REFUSED', `a task with the id '${taskId}' runs already`)
    else void this.#drive(run, options)
    return run
  }

  /** Closes all connections. Runs that have not ended fail with `CLOSED`; a server that resumes sessions cancels them after its grace time. */
  async close(): Promise<void> {
    for (const run of this.#runs.values()) run.fail('CLOSED', 'the client was closed')
    await Promise.all([...this.#links.values()].map((link) => link.close()))
  }

  /** Drives a run until it ends. Never throws. */
  async #drive(run: TaskRun, { timeoutMs = TASK_TIME, signal }: RunTaskOptions): Promise<void> {
    this.#runs.set(run.sessionId, run)
    const timer = this.#clock.wake(timeoutMs, () => {
      const sent = run.status !== 'waiting'
      // First, because cancelling ends the run too.
      run.fail('TIMEOUT', `the task did not end within ${timeoutMs / 1000} s`)
      if (sent) this.#cancel(run).catch((error: unknown) => this.#logger.warn(`${run.sessionId}: ${messageOf(error)}`))
    })
    const abort = (): void => {
      run.cancel().catch((error: unknown) => this.#logger.warn(`${run.sessionId} was not cancelled: ${messageOf(error)}`))
    }
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
    run.settled.addEventListener('abort', () => {
      timer.cancel()
      signal?.removeEventListener('abort', abort)
      this.#runs.delete(run.sessionId)
      if (this.#last.get(run.deviceId) === run) this.#last.delete(run.deviceId)
    })
    try {
      const { link } = this.#target(run.deviceId)
      await link.ready()
      if (!link.resumes) await this.#turn(run)
      await this.#submit(run, link)
    } catch (error) {
      const { code, reason } = asConstellationError(error, run.deviceId, 'REFUSED')
      run.fail(code, reason)
    }
  }

  /** Waits until the runs before this one have ended: existing servers would run them at once. */
  async #turn(run: TaskRun): Promise<void> {
    const before = this.#last.get(run.deviceId)
    this.#last.set(run.deviceId, run)
    await before?.result.catch(() => {})
  }

  /** Sends the task until the server has it. Sending it again is safe only if it never left, or the server recognizes its request id. */
  async #submit(run: TaskRun, link: ServerLink): Promise<void> {
    while (!run.settled.aborted) {
      await link.ready()
      const sent = { left: false }
      try {
        await link.ask(
          async (aip) => {
            run.advance('sent')
            await this.#send(run, new TaskExecutionProtocol(aip)).catch((error: unknown) => {
              sent.left = !isAipError(error, 'NOT_CONNECTED', 'CONNECTION_CLOSED')
              throw error
            })
            sent.left = true
          },
          ({ type, session_id }) => session_id === run.sessionId && (type === 'heartbeat' || type === 'task_end'),
        )
        return run.advance('accepted')
      } catch (error) {
        const lost = error instanceof AipError && LOST.has(error.code)
        if (!lost || (sent.left && !link.resumes)) throw error
      }
    }
  }

  #send(run: TaskRun, tasks: TaskExecutionProtocol): Promise<void> {
    return tasks.sendTaskRequest({
      request: run.request,
      taskName: run.taskName,
      sessionId: run.sessionId,
      clientId: this.#clientId(run.deviceId),
      clientType: 'constellation',
      targetId: run.deviceId,
      requestId: run.requestId,
    })
  }

  /** Ends a task where it runs. Existing servers end one only when the connection that requested it closes. */
  async #cancel(run: TaskRun): Promise<void> {
    const { link, api } = this.#target(run.deviceId)
    if (link.negotiates) {
      await api.sessions.cancel(run.sessionId)
      return
    }
    const alone = [...this.#runs.values()].every(
      (other) => other === run || this.#targets.get(other.deviceId)?.link !== link || other.status === 'waiting',
    )
    run.finish({ status: 'failed', result: null, error: null })
    if (alone) link.drop()
    else this.#logger.warn(`${run.sessionId} continues: its server ends a task only with its connection, which other tasks use`)
  }

  #newLink(url: string, targetId: string | undefined, trust: ServerTrust | undefined): ServerLink {
    const link: ServerLink = new ServerLink({
      url,
      trust,
      targetId,
      clientId: this.#clientId(targetId),
      metadata: {
        type: 'constellation_client',
        task_name: this.name,
        targeted_device_id: targetId ?? null,
        capabilities: ['task_distribution', 'session_management', 'device_coordination'],
        version: '2.0',
        ...this.#options.metadata,
      },
      resume: this.#options.resume ?? true,
      heartbeatS: this.#options.heartbeatS ?? 30,
      reconnectDelayMs: this.#options.reconnectDelayMs ?? 5000,
      maxRetries: this.#options.maxRetries ?? 5,
      clock: this.#clock,
      logger: this.#logger,
      onState: (status, reason) => this.#linkState(link, status, reason),
      onMessage: (message) => this.#received(link, message),
      onRegistered: (sessionIds) => this.#registered(link, sessionIds),
    })
    return link
  }

  #linkState(link: ServerLink, status: LinkState, reason: string | null): void {
    for (const target of this.#targets.values()) {
      if (target.link !== link) continue
      target.state = { deviceId: target.deviceId, status, reason }
      this.#options.onDeviceState?.(target.state)
    }
    if (status === 'connected' || (status === 'connecting' && link.resumes)) return
    for (const run of this.#runsOf(link)) {
      if (run.status === 'accepted') run.fail('CONNECTION_LOST', reason ?? 'the connection to the server was lost')
    }
  }

  /** After a new registration: runs that the server no longer knows are lost. */
  #registered(link: ServerLink, sessionIds: ReadonlySet<string> | null): void {
    for (const run of this.#runsOf(link)) {
      if (run.status !== 'accepted' || sessionIds?.has(run.sessionId) === true) continue
      run.fail('CONNECTION_LOST', 'the server no longer knows the task')
    }
  }

  #received(link: ServerLink, message: ServerMessage): void {
    const { session_id: sessionId } = message
    if (sessionId === null) return
    const run = this.#runs.get(sessionId)
    const own = run !== undefined && this.#targets.get(run.deviceId)?.link === link ? run : undefined
    if (message.type === 'progress') {
      if (own !== undefined) this.#options.onTaskState?.(own, message.state)
      return
    }
    own?.finish(message)
    if (!link.resumes) return
    link
      .tell((aip) => {
        const end = { sessionId, clientId: link.clientId, clientType: 'constellation', status: message.status } as const
        return new TaskExecutionProtocol(aip).sendTaskEndAck(end)
      })
      .catch((error: unknown) => this.#logger.debug(`[WS] ${sessionId}: its end was not acknowledged: ${messageOf(error)}`))
  }

  #runsOf(link: ServerLink): TaskRun[] {
    return [...this.#runs.values()].filter((run) => this.#targets.get(run.deviceId)?.link === link)
  }

  #clientId(deviceId: string | undefined): string {
    return deviceId === undefined || this.#options.connection === 'server' ? this.name : `${this.name}@${deviceId}`
  }

  #target(deviceId: string): Target {
    const target = this.#targets.get(deviceId)
    if (target === undefined) throw new ConstellationError('DEVICE_UNKNOWN', deviceId, 'the device was not added')
    return target
  }
}

/** Errors that leave it open whether a task has arrived. */
const LOST: ReadonlySet<string> = new Set(['CONNECTION_CLOSED', 'SEND_FAILED', 'NOT_CONNECTED'])

/** The WebSocket address with the key, and the HTTP API behind it. */
function addresses(server: string, apiKey: string | undefined, trust: ServerTrust | undefined): { url: string; api: OrreryApi } {
  const given = parseUrl(server)
  const key = apiKey ?? given?.searchParams.get('token') ?? undefined
  const api = new OrreryApi({ server: server.replace(/\?.*$/s, ''), apiKey: key, fetch: trust && trustingFetch(trust) })
  const url = new URL(`${api.server.replace(/^http/, 'ws')}/ws`)
  if (key !== undefined) url.searchParams.set('token', key)
  return { url: url.href, api }
}
