import {
  Ask,
  type AskAnswer,
  AskList,
  Clients,
  CommandsOutcome,
  type CreateSession,
  Device,
  DeviceList,
  DispatchOutcome,
  Health,
  type QuestionAnswer,
  type Remark,
  type RunCommands,
  Session,
  type SessionEvent,
  SessionList,
  type SessionStatus,
  TaskResult,
  ToolList,
  WorkflowList,
  type WorkflowSummary,
  WrittenFile,
  hasEnded,
} from '@orrery/aip/api'
import type { MCPToolInfo } from '@orrery/aip'
import type { z } from 'zod'
import { type DeviceFile, deviceFile } from './device-file.js'
import { type ReconnectLimits, eventStream } from './event-stream.js'
import { type HttpRequest, type ServerTarget, callJson, callRaw } from './http-caller.js'
import { serverAddress } from './server-address.js'

/** Options of {@link OrreryApi}. */
export interface OrreryApiOptions {
  /** Address of the server, such as `http://127.0.0.1:5000`. */
  server: string
  /** The operator key. */
  apiKey?: string | undefined
  /** Where the key comes from, so that the message of a refusal can say it. */
  keySource?: string | undefined
  /** Milliseconds that a call may take; 30,000 if not given. */
  timeoutMs?: number
  /** How a lost event stream is taken up again. */
  reconnect?: Partial<ReconnectLimits>
}

/** Options of one call. */
export interface CallOptions {
  /** Milliseconds that this call may take. */
  timeoutMs?: number
  /** Ends the call; it then rejects with the signal's reason. */
  signal?: AbortSignal
}

/** Options of {@link OrreryApi.events}. */
export interface EventOptions {
  /** Only events after this sequence number. */
  afterSeq?: number
  /** Ends the stream; the iteration then throws an abort error. */
  signal?: AbortSignal
}

/** A file for a device. */
export interface FileContent {
  bytes: AsyncIterable<Uint8Array>
  /** How many bytes there are; all of them must come. */
  size: number
  /** Replace a file that is there. Default false. */
  overwrite?: boolean
}

/** Which sessions to list. */
export interface SessionFilter {
  device_id?: string | undefined
  status?: SessionStatus | undefined
  /** At most this many, 1 to 500; 50 if not given. */
  limit?: number | undefined
  /** A run id: only older sessions. */
  before?: string | undefined
}

/** A task for a device, as `POST /api/dispatch` takes it. */
export interface DispatchRequest {
  client_id: string
  request: string
  task_name?: string
}

const RECONNECT: ReconnectLimits = { firstMs: 250, longestMs: 5000, giveUpMs: 120_000 }

/**
 * The HTTP API and event stream of a server, typed. Every answer is checked; every failure is an `ApiClientError` whose message
 * a user can act on.
 */
export class OrreryApi {
  readonly #target: ServerTarget
  readonly #timeoutMs: number
  /** Whether the server has ever answered. */
  #reached = false
  readonly #reconnect: ReconnectLimits

  /** @throws {ApiClientError} `INVALID_INPUT` when `server` is not an address */
  constructor(options: OrreryApiOptions) {
    this.#target = { base: serverAddress(options.server), apiKey: options.apiKey, keySource: options.keySource }
    this.#timeoutMs = options.timeoutMs ?? 30_000
    this.#reconnect = { ...RECONNECT, ...options.reconnect }
  }

  /** Address of the server, without a slash at its end. */
  get server(): string {
    return this.#target.base
  }

  /** The devices that are, or were, connected. */
  async devices(options?: CallOptions): Promise<Device[]> {
    return (await this.#get('/api/devices', DeviceList, options)).devices
  }

  /** One device. */
  device(id: string, options?: CallOptions): Promise<Device> {
    return this.#get(`/api/devices/${encodeURIComponent(id)}`, Device, options)
  }

  /** The tools of a device. */
  async tools(deviceId: string, options?: CallOptions): Promise<MCPToolInfo[]> {
    return (await this.#get(`/api/devices/${encodeURIComponent(deviceId)}/tools`, ToolList, options)).tools
  }

  /**
   * Runs commands on a device and waits for their results, as long as the device may take. `fetch` waits at most 300 s for an
   * answer to begin: for longer commands, and to be able to cancel, use {@link createSession} and {@link events}.
   */
  runCommands(deviceId: string, body: RunCommands, options: CallOptions = {}): Promise<CommandsOutcome> {
    const path = `/api/devices/${encodeURIComponent(deviceId)}/commands`
    return this.#call({ method: 'POST', path, body, ...options }, CommandsOutcome)
  }

  /**
   * Reads a file of a device, of any size. It settles when the device begins to send, which may take long if its owner is asked.
   * @param options.signal ends the transfer, also while the content is read
   */
  async readFile(deviceId: string, path: string, options: Pick<CallOptions, 'signal'> = {}): Promise<DeviceFile> {
    const search = new URLSearchParams({ path })
    const request = { method: 'GET', path: `${filesOf(deviceId)}?${search.toString()}`, ...options } as const
    const response = await callRaw(this.#target, request)
    return deviceFile(response, (id) => this.session(id), options.signal)
  }

  /**
   * Writes a file on a device, of any size. The device has it as a whole or not at all.
   * @param path where it goes; its folder must exist
   * @param options.signal ends the transfer
   */
  writeFile(
    deviceId: string,
    path: string,
    { bytes, size, overwrite = false }: FileContent,
    options: Pick<CallOptions, 'signal'> = {},
  ): Promise<WrittenFile> {
    const search = new URLSearchParams({ path, overwrite: String(overwrite) })
    const target = `${filesOf(deviceId)}?${search.toString()}`
    return this.#call({ method: 'PUT', path: target, content: { bytes, size }, ...options }, WrittenFile)
  }

  /** The workflows that can be called by name. */
  async workflows(options?: CallOptions): Promise<WorkflowSummary[]> {
    return (await this.#get('/api/workflows', WorkflowList, options)).workflows
  }

  /** Starts a session: of words, of a workflow file's text or of commands. */
  createSession(body: CreateSession, options?: CallOptions): Promise<Session> {
    return this.#post('/api/sessions', body, Session, options)
  }

  /** The sessions, newest first. */
  async sessions(query: SessionFilter = {}, options?: CallOptions): Promise<Session[]> {
    const search = new URLSearchParams()
    const given: [string, string | number | undefined][] = Object.entries(query)
    for (const [name, value] of given) if (value !== undefined) search.set(name, String(value))
    const path = search.size === 0 ? '/api/sessions' : `/api/sessions?${search.toString()}`
    return (await this.#get(path, SessionList, options)).sessions
  }

  /** One session. */
  session(id: string, options?: CallOptions): Promise<Session> {
    return this.#get(`/api/sessions/${encodeURIComponent(id)}`, Session, options)
  }

  /**
   * The events of a session, those of the past first; ends after `ended`. A lost connection is taken up again where it broke off.
   * Progress is not recorded: what was sent while the connection was away does not come again.
   */
  events(id: string, options: EventOptions = {}): AsyncIterable<SessionEvent> {
    return eventStream({
      target: this.#target,
      sessionId: id,
      afterSeq: options.afterSeq,
      signal: options.signal,
      reconnect: this.#reconnect,
      reached: this.#reached,
      hasEnded: async () => hasEnded((await this.session(id, options.signal && { signal: options.signal })).status),
    })
  }

  /** Asks for a session to be cancelled; it has ended when its `ended` event says so. @returns the session as it was then */
  cancel(id: string, options?: CallOptions): Promise<Session> {
    return this.#post(`/api/sessions/${encodeURIComponent(id)}/cancel`, undefined, Session, options)
  }

  /** Answers the question that a session asks; without its id whichever is open. */
  answerQuestion(id: string, text: string, questionId?: string, options?: CallOptions): Promise<Session> {
    const body: QuestionAnswer = { text, ...(questionId === undefined ? {} : { question_id: questionId }) }
    return this.#post(`/api/sessions/${encodeURIComponent(id)}/answer`, body, Session, options)
  }

  /** Adds a remark to the request of a running session; its agent hears it before its next step. */
  remark(id: string, text: string, options?: CallOptions): Promise<Session> {
    return this.#post(`/api/sessions/${encodeURIComponent(id)}/remark`, { text } satisfies Remark, Session, options)
  }

  /** The calls that wait on their devices for permission. */
  async asks(options?: CallOptions): Promise<Ask[]> {
    return (await this.#get('/api/asks', AskList, options)).asks
  }

  /** Allows or denies a call that waits, once. @returns what was asked */
  answer(askId: string, decision: AskAnswer['decision'], options?: CallOptions): Promise<Ask> {
    return this.#post(`/api/asks/${encodeURIComponent(askId)}`, { decision }, Ask, options)
  }

  /** State of the server, and the ids of the clients that are online. */
  health(options?: CallOptions): Promise<z.infer<typeof Health>> {
    return this.#get('/api/health', Health, options)
  }

  /** The ids of the clients that are online. */
  async clients(options?: CallOptions): Promise<string[]> {
    return (await this.#get('/api/clients', Clients, options)).online_clients
  }

  /** Sends a task to a device as existing peers do; {@link taskResult} with its `task_name` gives what became of it. */
  dispatch(body: DispatchRequest, options?: CallOptions): Promise<z.infer<typeof DispatchOutcome>> {
    return this.#post('/api/dispatch', body, DispatchOutcome, options)
  }

  /** The result of a dispatched task. */
  taskResult(taskName: string, options?: CallOptions): Promise<z.infer<typeof TaskResult>> {
    return this.#get(`/api/task_result/${encodeURIComponent(taskName)}`, TaskResult, options)
  }

  #get<T>(path: string, shape: z.ZodType<T>, options?: CallOptions): Promise<T> {
    return this.#call({ method: 'GET', path, timeoutMs: this.#timeoutMs, ...options }, shape)
  }

  #post<T>(path: string, body: unknown, shape: z.ZodType<T>, options?: CallOptions): Promise<T> {
    return this.#call({ method: 'POST', path, body, timeoutMs: this.#timeoutMs, ...options }, shape)
  }

  async #call<T>(request: HttpRequest, shape: z.ZodType<T>): Promise<T> {
    const answer = await callJson(this.#target, request, shape)
    this.#reached = true
    return answer
  }
}

function filesOf(deviceId: string): string {
  return `/api/devices/${encodeURIComponent(deviceId)}/files`
}
