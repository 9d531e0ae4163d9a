import { LIMITS } from './limits.js'

/** One entry of the catalogue. `P` are the values that its text needs: none, or one object. */
interface ErrorEntry<P extends [] | [object]> {
  /** What the peer or the user reads. */
  text: (...values: P) => string
  /** Status in the HTTP API. */
  http: number
  /** One line for the reference. */
  doc: string
}

function entry<P extends [] | [object] = []>(http: number, doc: string, text: (...values: P) => string): ErrorEntry<P> {
  return { http, doc, text }
}

/**
 * Every error that Orrery reports to a peer or a user, by its code. Texts that existing peers know are theirs
 * (protocol reference, chapter 7); on the wire only the text travels, in the HTTP API code and text.
 */
export const ERRORS = {
  // Messages
  INVALID_MESSAGE: entry<[{ detail: string }]>(
    400,
    'A message is not JSON, or a field is missing or has the wrong form.',
    (v) => `Invalid message format: ${v.detail}`,
  ),
  MESSAGE_TOO_LARGE: entry<[{ limit: number }]>(
    413,
    'A message is larger than the limit.',
    (v) => `Message exceeds the limit of ${v.limit} bytes`,
  ),
  UNKNOWN_MESSAGE_TYPE: entry<[{ type: string }]>(
    400,
    'A message of this type is not expected from this peer now.',
    (v) => `Unknown message type: ${v.type}`,
  ),
  TOO_MANY_ACTIONS: entry<[{ limit: number }]>(
    400,
    'A batch has more commands than the limit.',
    (v) => `A batch may hold at most ${v.limit} commands`,
  ),
  REPORTED_BY_PEER: entry<[{ text: string }]>(400, 'The peer sent an error message; its text comes back.', (v) => v.text),

  // Registration
  UNAUTHORIZED: entry(401, 'The key is missing or wrong.', () => 'Invalid API key'),
  CLIENT_ID_REQUIRED: entry(400, 'A registration has no client id.', () => 'Client ID is required for WebSocket registration'),
  INVALID_CLIENT_ID: entry(
    400,
    'The client id has characters that are not allowed, or is too long.',
    () => 'client_id must be 1 to 128 letters, digits or _ . @ : -',
  ),
  REGISTRATION_EXPECTED: entry(
    400,
    'The first message is not a registration.',
    () => 'First message must be a registration message',
  ),
  REGISTRATION_TIMEOUT: entry<[{ seconds: number }]>(
    408,
    'A connection did not register in time.',
    (v) => `No registration message within ${v.seconds} s`,
  ),
  ROLE_NOT_ALLOWED: entry<[{ role: string }]>(
    403,
    'The key does not allow this role: the device key is for devices only.',
    (v) => `This key does not allow to register as ${v.role}`,
  ),
  DUPLICATE_CLIENT: entry<[{ id: string }]>(
    409,
    'A live connection has this client id.',
    (v) => `client_id '${v.id}' is already registered; duplicate registrations are not allowed`,
  ),
  CAPACITY_REACHED: entry<[{ limit: number }]>(
    503,
    'As many clients are online as the server takes.',
    (v) => `Server capacity limit reached: at most ${v.limit} clients, try again later`,
  ),
  INVALID_PLATFORM: entry<[{ platform: string; platforms: string }]>(
    400,
    'A device has a platform that the server does not take.',
    (v) => `Invalid platform '${v.platform}': must be one of ${v.platforms}`,
  ),
  FORBIDDEN: entry<[{ right: string }]>(
    403,
    'The key does not have the right that this needs.',
    (v) => `This key does not have the right '${v.right}'`,
  ),
  STALE_OWNER: entry<[{ id: string }]>(
    409,
    'Something else has taken over the sessions of this device; nothing was recorded.',
    (v) => `The sessions of '${v.id}' belong to another owner now`,
  ),
  SERVER_STOPPING: entry(503, 'The server is shutting down and takes no new work.', () => 'The server is shutting down'),

  // Who may do what on a registered connection
  CLIENT_ID_MISMATCH: entry(
    403,
    'A message names another client than the one that registered.',
    () => 'client_id does not match the registered connection',
  ),
  CLIENT_TYPE_MISMATCH: entry(
    403,
    'A message names another role than the one that registered.',
    () => 'client_type does not match the registered connection',
  ),
  TARGET_REQUIRED: entry(
    400,
    'A task of a constellation names no device.',
    () => 'Constellation task requests require target_id',
  ),
  TARGET_NOT_CONNECTED: entry<[{ id: string }]>(
    404,
    'The device of a task is not online.',
    (v) => `Target device '${v.id}' is not connected`,
  ),
  TARGET_NOT_A_DEVICE: entry(
    400,
    'The target of a task is not a device.',
    () => 'Constellation tasks may only target device clients',
  ),
  TARGET_FORBIDDEN: entry(
    403,
    'A device names another device as its target.',
    () => 'Device clients may not target other devices',
  ),
  INFO_FORBIDDEN: entry(
    403,
    'A device asked for device information.',
    () => 'DEVICE_INFO_REQUEST is permitted only for constellation clients',
  ),
  INFO_OUT_OF_SCOPE: entry(
    403,
    'A constellation asked about a device that it did not register for.',
    () => 'Not authorized to request device info for this device',
  ),
  SESSION_OWNED: entry<[{ id: string }]>(
    409,
    'A live session of another client has this id.',
    (v) => `session_id '${v.id}' is owned by another client`,
  ),
  SESSION_RUNNING: entry<[{ id: string }]>(409, 'The session is live already.', (v) => `session_id '${v.id}' is already running`),

  // Tasks
  EMPTY_REQUEST: entry(400, 'A task has no request.', () => 'Task request cannot be empty'),
  INVALID_TASK_NAME: entry(
    400,
    'The task name has characters that are not allowed.',
    () => "Invalid task_name: must be a non-empty string of characters [A-Za-z0-9._-] and must not start with '.'",
  ),
  QUEUE_FULL: entry<[{ id: string; limit: number }]>(
    503,
    'Too many sessions wait for the device.',
    (v) => `Device '${v.id}' already has ${v.limit} waiting tasks, try again later`,
  ),
  INVALID_CONFIG: entry<[{ detail: string }]>(
    400,
    'A configuration file has mistakes; each is listed with its place.',
    (v) => v.detail,
  ),
  WORKFLOW_NOT_FOUND: entry<[{ name: string; names: string }]>(
    404,
    'No workflow has this name.',
    (v) => `There is no workflow '${v.name}'; there are: ${v.names}`,
  ),
  INVALID_WORKFLOW: entry<[{ detail: string }]>(
    400,
    'A workflow file has mistakes; each is listed with its place.',
    (v) => v.detail,
  ),
  INVALID_INPUTS: entry<[{ name: string; detail: string; takes: string }]>(
    400,
    'The inputs of a workflow are not what it takes.',
    (v) => `Workflow '${v.name}': ${v.detail}. It takes: ${v.takes}`,
  ),
  DEVICE_NOT_FOUND: entry<[{ id: string }]>(
    404,
    'No device with this id is known.',
    (v) => `Device '${v.id}' is not known here; 'orrery devices' lists the devices`,
  ),
  DEVICE_OFFLINE: entry<[{ id: string }]>(
    404,
    'The device is known but not connected.',
    (v) => `Device '${v.id}' is not connected`,
  ),
  SESSION_NOT_FOUND: entry<[{ id: string }]>(
    404,
    'No session with this id is kept.',
    (v) => `Session '${v.id}' is not known here; 'orrery sessions' lists the sessions`,
  ),
  VALUE_NOT_FOUND: entry<[{ id: string; value: string }]>(
    404,
    'No event of the session refers to a value with this id.',
    (v) => `Session '${v.id}' has no value '${v.value}'`,
  ),
  ASK_NOT_FOUND: entry<[{ id: string }]>(
    404,
    'No ask of this id is open: it was answered, or has expired.',
    (v) => `There is no open ask '${v.id}'; 'orrery answer' lists them`,
  ),
  NO_AGENT: entry(
    501,
    'No configured agent can run this request.',
    () =>
      "No model is configured, so a request in words cannot run. Start the server with ORRERY_MODEL and the key of its provider (OPENAI_API_KEY or ANTHROPIC_API_KEY), or with OLLAMA_HOST; 'orrery model check' tries it. Workflows and direct commands need no model: see 'orrery workflows' and 'orrery call --help'",
  ),
  AGENT_FAILED: entry<[{ text: string }]>(500, 'The agent of a session failed.', (v) => v.text),
  DEVICE_DISCONNECTED: entry(
    502,
    'The device of a session dropped.',
    () => 'Task was cancelled because target device disconnected',
  ),
  CLIENT_DISCONNECTED: entry(499, 'The requester of a session dropped.', () => 'Task was cancelled due to client disconnection'),
  USER_CANCELLED: entry(499, 'A user cancelled the session.', () => 'Task was cancelled by the user'),
  SERVER_RESTARTED: entry(
    503,
    'The server stopped while the session ran, and the session cannot go on.',
    () => 'interrupted: the server restarted while this task ran',
  ),
  DISPATCH_UNANSWERED: entry<[{ seconds: number }]>(
    504,
    'A device did not take up a dispatched task.',
    (v) => `The device did not take up the task within ${v.seconds} s`,
  ),
  STORE_FAILED: entry<[{ detail: string }]>(
    507,
    'The event log cannot be written.',
    (v) => `The event log cannot be written: ${v.detail}`,
  ),

  // Models; these become the error of a session
  MODEL_KEY_REFUSED: entry<[{ where: string; setting: string; detail: string }]>(
    502,
    "The model's endpoint refused the key.",
    (v) => `The model at ${v.where} refused the key: check ${v.setting} (${v.detail})`,
  ),
  MODEL_UNKNOWN: entry<[{ where: string; model: string; setting: string; address: string; detail: string }]>(
    502,
    "The model's endpoint does not know the model, or the address is not that of its API.",
    (v) => `There is no model '${v.model}' at ${v.where}: check ${v.setting}, and the address in ${v.address} (${v.detail})`,
  ),
  MODEL_RATE_LIMITED: entry<[{ where: string; setting: string; detail: string }]>(
    502,
    "The model's endpoint takes no more requests now, or the account has nothing left.",
    (v) => `The model at ${v.where} takes no more requests: wait, or check the account of the key in ${v.setting} (${v.detail})`,
  ),
  MODEL_CONTEXT_EXCEEDED: entry<[{ model: string; tokens: number; detail: string }]>(
    502,
    'What the model was to read does not fit its window, though it was shortened.',
    (v) =>
      `The conversation does not fit the window of '${v.model}': set model.context_tokens (now ${v.tokens}) to its real size (${v.detail})`,
  ),
  MODEL_WITHOUT_TOOLS: entry<[{ model: string; setting: string; detail: string }]>(
    502,
    'The model cannot call tools, which an agent needs.',
    (v) => `The model '${v.model}' cannot call tools: name another in ${v.setting} (${v.detail})`,
  ),
  MODEL_WITHOUT_IMAGES: entry<[{ model: string; detail: string }]>(
    502,
    'The model does not take images.',
    (v) => `The model '${v.model}' takes no images: set model.images to false (${v.detail})`,
  ),
  MODEL_UNREACHABLE: entry<[{ where: string; setting: string; detail: string }]>(
    502,
    "The model's endpoint cannot be reached.",
    (v) => `No model answers at ${v.where}: is it running, and is ${v.setting} right? (${v.detail})`,
  ),
  MODEL_CUT_OFF: entry<[{ where: string; detail: string }]>(
    502,
    "The connection to the model's endpoint was lost in the middle of an answer, again and again.",
    (v) =>
      `The model at ${v.where} breaks off in the middle of its answers; model.retries says how often it is tried (${v.detail})`,
  ),
  MODEL_SILENT: entry<[{ where: string; seconds: number }]>(
    504,
    "The model's endpoint gave no sign for too long.",
    (v) => `The model at ${v.where} gave no sign for ${v.seconds} s; model.timeout_s says how long it may take`,
  ),
  MODEL_UNAVAILABLE: entry<[{ where: string; setting: string; detail: string }]>(
    502,
    "The model's endpoint fails again and again.",
    (v) => `The model at ${v.where} fails: try later, or check ${v.setting} (${v.detail})`,
  ),
  MODEL_REFUSED: entry<[{ where: string; model: string; detail: string }]>(
    502,
    "The model's endpoint refused the request.",
    (v) => `The model '${v.model}' at ${v.where} refused the request: ${v.detail}`,
  ),
  MODEL_STOPPED: entry<[{ reason: string }]>(
    502,
    'The model ended its turn in a way with which the task cannot go on.',
    (v) => `The model cannot go on: ${v.reason}`,
  ),
  MODEL_BUDGET_SPENT: entry<[{ what: string; setting: string }]>(
    429,
    'A session has used what it may use of a model.',
    (v) => `The task was stopped after ${v.what}; ${v.setting} sets the limit`,
  ),

  // Talking with a task
  NO_QUESTION: entry<[{ id: string }]>(409, 'The session asks nothing now.', (v) => `Session '${v.id}' has no open question`),
  SESSION_ENDED: entry<[{ id: string }]>(409, 'The session has ended.', (v) => `Session '${v.id}' has ended`),
  SESSION_NOT_LISTENING: entry<[{ id: string }]>(
    409,
    'The session is a workflow or a list of commands, which take no remarks.',
    (v) => `Session '${v.id}' takes no remarks: only tasks in words do`,
  ),

  // Commands; these become the error of a result
  COMMAND_TIMEOUT: entry<[{ seconds: number }]>(
    504,
    'A batch was not answered in time.',
    (v) => `No results from the device within ${v.seconds} s`,
  ),
  COMMAND_SEND_FAILED: entry<[{ tool: string; detail: string }]>(
    502,
    'A batch could not be sent.',
    (v) => `Error occurred while executing command ${v.tool}: ${v.detail}, please retry or execute a different command.`,
  ),
  INTERRUPTED: entry(
    502,
    'A command was running when its device or server died; it is not run again, because it may have had its effect.',
    () => 'interrupted: this command may or may not have had its effect',
  ),
  REPLAY_DIVERGED: entry(
    500,
    'After a restart an agent asked for other commands than before.',
    () => 'The agent asks for other commands than before the restart',
  ),
  RESULT_MISSING: entry(
    502,
    'The device answered a batch without a result for this command.',
    () => 'The device sent no result for this command',
  ),
  DEVICE_BUSY: entry<[{ id: string }]>(
    409,
    'Another session runs on the device.',
    (v) => `busy: session '${v.id}' is running on this device`,
  ),
  NOT_READ_ONLY: entry<[{ tool: string }]>(
    409,
    'A command was sent as a concurrent read, and its tool is not one that the device trusts to be read-only.',
    (v) => `${v.tool} cannot run beside a session: it is not a trusted read-only tool`,
  ),
  TOOL_UNKNOWN: entry<[{ key: string; computer: string }]>(
    404,
    'The device has no such tool.',
    (v) => `Tool ${v.key} is not registered in current computer: ${v.computer}`,
  ),
  TOOL_TIMEOUT: entry<[{ tool: string; seconds: number }]>(
    504,
    'A tool ran longer than allowed.',
    (v) => `Tool ${v.tool} execution timed out after ${v.seconds}s`,
  ),
  TOOL_FAILED: entry<[{ tool: string; detail: string }]>(
    500,
    'A tool failed.',
    (v) => `Tool ${v.tool} execution failed: ${v.detail}`,
  ),
  TOOL_CANCELLED: entry(499, 'The command was cancelled.', () => 'cancelled'),
  EARLIER_FAILURE: entry(
    424,
    'An earlier command of the batch failed.',
    () => 'Skipped due to previous failure (early_exit=True).',
  ),
  POLICY_DENIED: entry<[{ rule: string; detail: string }]>(
    403,
    "The device's owner does not allow this.",
    (v) => `Denied by the device's policy (rule: ${v.rule}): ${v.detail}`,
  ),
  JOURNAL_FAILED: entry<[{ detail: string }]>(
    507,
    'The journal of the device cannot be written, so no command is taken.',
    (v) => `The journal of the device cannot be written, so nothing is run: ${v.detail}`,
  ),
  MCP_SERVER_FAILED: entry<[{ name: string; detail: string }]>(
    502,
    'An MCP server of the device does not run.',
    (v) => `MCP server '${v.name}' is not running: ${v.detail}`,
  ),

  // Transports
  NOT_CONNECTED: entry(503, 'Sending on a transport that was never connected.', () => 'Transport not connected'),
  CONNECTION_CLOSED: entry(503, 'Sending or receiving on a closed connection.', () => 'WebSocket connection is closed'),
  CONNECT_FAILED: entry<[{ url: string; detail: string }]>(
    503,
    'A connection could not be made.',
    (v) => `Failed to connect to ${v.url}: ${v.detail}`,
  ),
  SEND_FAILED: entry<[{ detail: string }]>(503, 'A message could not be sent.', (v) => `Failed to send data: ${v.detail}`),
  REGISTRATION_FAILED: entry<[{ id: string }]>(
    403,
    'The server refused a registration.',
    (v) => `Registration failed for ${v.id}`,
  ),
  TIMEOUT: entry<[{ operation: string; seconds: number }]>(
    504,
    'A wait came to its end.',
    (v) => `${v.operation} timed out after ${v.seconds}s`,
  ),

  // Binary messages and files
  BINARY_EXPECTED: entry(
    400,
    'A text frame came where binary data was announced.',
    () => 'Expected binary WebSocket frame, but received text frame.',
  ),
  SIZE_MISMATCH: entry<[{ expected: number; actual: number }]>(
    400,
    'Data has another size than was announced.',
    (v) => `Size mismatch: expected ${v.expected} bytes, got ${v.actual} bytes`,
  ),
  CHECKSUM_MISMATCH: entry<[{ expected: string; actual: string }]>(
    400,
    'Data has another checksum than was announced.',
    (v) => `Checksum mismatch: expected ${v.expected}, got ${v.actual}`,
  ),
  TRANSFER_UNEXPECTED: entry<[{ expected: string; got: string }]>(
    400,
    'A file transfer did not go on as its protocol says.',
    (v) => `Expected ${v.expected}, got: ${v.got}`,
  ),
  FILE_NOT_FOUND: entry<[{ path: string }]>(404, 'A file or folder is not there.', (v) => `File not found: ${v.path}`),
  FILE_TOO_LARGE: entry<[{ size: number; limit: number }]>(
    413,
    'A file is larger than its receiver takes.',
    (v) => `The file has ${v.size} bytes, and at most ${v.limit} are taken`,
  ),
  FILE_NAME_UNSAFE: entry<[{ name: string }]>(
    400,
    'A file name of the sender would leave the folder that it is for.',
    (v) => `'${v.name}' cannot be used as the name of a received file`,
  ),
  FILE_EXISTS: entry<[{ path: string }]>(409, 'A file would replace one that is there.', (v) => `File exists: ${v.path}`),
  TRANSFER_UNSUPPORTED: entry<[{ id: string }]>(
    501,
    'The device cannot copy files: its version does not know how, or its server `files` is off.',
    (v) => `Device '${v.id}' cannot copy files: it needs a newer version of Orrery, and its MCP server 'files' on`,
  ),
  TRANSFER_REFUSED: entry(
    403,
    'A device asked for a connection that no file transfer waits for, or not from it.',
    () => 'No file transfer waits for this device under this id',
  ),
  TRANSFER_CUT: entry<[{ detail: string }]>(
    502,
    'A file transfer ended in the middle; the receiver keeps nothing of it.',
    (v) => `The file transfer ended in the middle: ${v.detail}`,
  ),
  TRANSFER_FAILED: entry<[{ detail: string }]>(502, 'The device could not send or take a file; it says why.', (v) => v.detail),
  LENGTH_REQUIRED: entry(411, 'A file was sent without saying how long it is.', () => 'The request needs a Content-Length'),

  // Tools of a device
  PATH_OUTSIDE_ROOTS: entry<[{ path: string; roots: string }]>(
    403,
    'A path, with its links followed, lies outside of the folders that the device shares.',
    (v) => `'${v.path}' is outside of the folders that this device shares: ${v.roots}`,
  ),
  PATH_CLOSED: entry<[{ path: string }]>(
    403,
    "A path lies in the device's own folder: keys, configuration, journal.",
    (v) => `'${v.path}' belongs to the device itself and is closed to tools`,
  ),
  PATH_ANCHORED: entry<[{ path: string }]>(
    403,
    'A folder that the device shares, or one that holds it, would be moved or deleted.',
    (v) => `'${v.path}' is or holds a folder that the device depends on; it can be neither moved nor deleted`,
  ),
  PATH_KIND: entry<[{ path: string; expected: string }]>(
    400,
    'A path leads to something of another kind, such as a folder instead of a file.',
    (v) => `'${v.path}' is not ${v.expected}`,
  ),
  FILE_CHANGED: entry<[{ path: string; detail: string }]>(
    409,
    'A file is not, or not any more, what the caller takes it for.',
    (v) => `'${v.path}' was left as it is: ${v.detail}`,
  ),
  EDIT_UNMATCHED: entry<[{ path: string; count: number }]>(
    409,
    'The text to replace is not in the file, or is there more than once.',
    (v) =>
      v.count === 0
        ? `The text to replace is not in '${v.path}'; it must match exactly, blanks and line ends included`
        : `The text to replace is ${v.count} times in '${v.path}'; give more of its surroundings, or set replace_all`,
  ),
  FILE_FAILED: entry<[{ path: string; detail: string }]>(
    500,
    'The system refused to work on a file.',
    (v) => `'${v.path}': ${v.detail}`,
  ),
  NOT_SUPPORTED: entry<[{ what: string; detail: string }]>(
    501,
    'A tool cannot work on this machine as it is: the operating system or a program is missing.',
    (v) => `${v.what} is not supported here: ${v.detail}`,
  ),
  PRESET_UNAVAILABLE: entry<[{ preset: string; detail: string }]>(
    501,
    'An MCP server that the configuration adds by name cannot start: a package or a program is not installed.',
    (v) => `The preset '${v.preset}' cannot start: ${v.detail}`,
  ),
  JOB_ENDED: entry<[{ id: string }]>(
    409,
    'Input was sent to a job that has ended, or whose input was closed.',
    (v) => `The job '${v.id}' takes no input any more`,
  ),
  TOO_MANY_JOBS: entry<[{ limit: number }]>(
    503,
    'A device runs as many background jobs as it may.',
    (v) => `${v.limit} jobs run already; stop one with stop_job`,
  ),
  NO_SUCH_ITEM: entry<[{ what: string; id: string }]>(
    404,
    'A tool was asked for a job, an output or a window that it does not know.',
    (v) => `There is no ${v.what} '${v.id}'`,
  ),

  // HTTP; the first three are those of existing peers
  EMPTY_TASK_CONTENT: entry(400, 'A dispatch has no request.', () => 'Empty task content'),
  EMPTY_CLIENT_ID: entry(400, 'A dispatch names no device.', () => 'Empty client ID'),
  CLIENT_NOT_ONLINE: entry(404, 'The device of a dispatch is not online.', () => 'Client not online'),
  INVALID_INPUT: entry<[{ detail: string }]>(422, 'A request body or parameter has the wrong form.', (v) => v.detail),
  NOT_FOUND: entry(404, 'No such path.', () => 'Not Found'),
  METHOD_NOT_ALLOWED: entry(405, 'The path exists, the method does not.', () => 'Method Not Allowed'),
  INTERNAL: entry(500, 'A defect; the log of the server has the details.', () => 'Internal error; see the log of the server'),
} as const

/** The code of an error: a key of {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS

type ErrorValues<C extends ErrorCode> = Parameters<(typeof ERRORS)[C]['text']>

/** An error of the catalogue. Its `message` may be shown to a peer; its `code` is what programs look at. */
export class AipError extends Error {
  override readonly name = 'AipError'
  readonly code: ErrorCode

  /** @param values what the text of this code needs */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(clip(message), options)
    this.code = code
  }

  /** Status of this error in the HTTP API. */
  get httpStatus(): number {
    return ERRORS[this.code].http
  }
}

/**
 * Makes an error of the catalogue.
 * @param values what the text of this code needs; nothing for a fixed text
 */
export function aipError<C extends ErrorCode>(code: C, ...values: ErrorValues<C>): AipError {
  return new AipError(code, errorText(code, ...values))
}

/** The text of an error of the catalogue, for places that carry only text, such as a result. */
export function errorText<C extends ErrorCode>(code: C, ...values: ErrorValues<C>): string {
  const text = ERRORS[code].text as (...v: ErrorValues<C>) => string
  return clip(text(...values))
}

/**
 * The error that a text of a peer stands for: on the wire only the text travels. Of texts with values it matches what is around them.
 * @param codes those that are looked for
 * @returns undefined if the text is none of theirs
 */
export function errorOfText(text: string, codes: readonly ErrorCode[]): AipError | undefined {
  const code = codes.find((each) => isTextOf(each, text))
  return code === undefined ? undefined : new AipError(code, text)
}

function isTextOf(code: ErrorCode, text: string): boolean {
  const hole = '\0'
  const values: Record<string, never> = new Proxy({}, { get: () => hole })
  const build = ERRORS[code].text as (v: Record<string, never>) => string
  const parts = build(values).split(hole)
  let at = 0
  for (const part of parts) {
    const found = text.indexOf(part, at)
    if (found < 0 || (at === 0 && found > 0)) return false
    at = found + part.length
  }
  return text.endsWith(parts.at(-1) ?? '')
}

/** Cuts a text to `LIMITS.errorText`, never within a character. */
export function clip(text: string): string {
  // A character has at most three bytes for each of its code units.
  if (text.length * 3 <= LIMITS.errorText || encoder.encodeInto(text, whole).read === text.length) return text
  return `${text.slice(0, encoder.encodeInto(text, cut).read)}${ELLIPSIS}`
}

const ELLIPSIS = '…'
const encoder = new TextEncoder()
const whole = new Uint8Array(LIMITS.errorText)
const cut = whole.subarray(0, LIMITS.errorText - encoder.encode(ELLIPSIS).length)

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  // Node's error of a name with several addresses, none of which answers, has its texts only inside.
  if (thrown instanceof AggregateError && thrown.message === '') return thrown.errors.map(messageOf).join('; ')
  return thrown instanceof Error ? thrown.message : String(thrown)
}
