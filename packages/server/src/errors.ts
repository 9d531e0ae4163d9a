import { defineErrors, entry } from '@orrery/aip'

/** The errors of the server. */
export const SERVER_ERRORS = defineErrors({
  // Registration
  CLIENT_ID_REQUIRED: entry('A registration has no client id.', () => 'Client ID is required for WebSocket registration'),
  REGISTRATION_EXPECTED: entry('The first message is not a registration.', () => 'First message must be a registration message'),
  REGISTRATION_TIMEOUT: entry<[{ seconds: number }]>(
    'A connection did not register in time.',
    (v) => `No registration message within ${v.seconds} s`,
  ),
  ROLE_NOT_ALLOWED: entry<[{ role: string }]>(
    'The key does not allow this role: the device key is for devices only.',
    (v) => `This key does not allow to register as ${v.role}`,
  ),
  DUPLICATE_CLIENT: entry<[{ id: string }]>(
    'A live connection has this client id.',
    (v) => `client_id '${v.id}' is already registered; duplicate registrations are not allowed`,
  ),
  INVALID_CONSTELLATION_ID: entry(
    'The client id of a constellation has characters that cannot be printed, or is too long, or does not match the pattern of the server.',
    () => 'client_id of a constellation must be 1 to 256 printable characters that the server accepts',
  ),
  TOKEN_REQUIRED: entry<[{ id: string; role: string; way: string }]>(
    'The client id belongs to the client that has its resume token: a device until it is forgotten, a constellation while a session of its is live.',
    (v) => `client_id '${v.id}' belongs to another ${v.role}, and only its resume token allows to use it: ${v.way}`,
  ),
  CAPACITY_REACHED: entry<[{ limit: number }]>(
    'As many clients are online as the server takes.',
    (v) => `Server capacity limit reached: at most ${v.limit} clients, try again later`,
  ),
  INVALID_PLATFORM: entry<[{ platform: string; platforms: string }]>(
    'A device has a platform that the server does not take.',
    (v) => `Invalid platform '${v.platform}': must be one of ${v.platforms}`,
  ),
  FORBIDDEN: entry<[{ right: string }]>(
    'The key does not have the right that this needs.',
    (v) => `This key does not have the right '${v.right}'`,
  ),
  STALE_OWNER: entry<[{ id: string }]>(
    'Something else has taken over the sessions of this device; nothing was recorded.',
    (v) => `The sessions of '${v.id}' belong to another owner now`,
  ),
  TERMINAL_UNSUPPORTED: entry<[{ id: string }]>(
    'A device gives no interactive terminals: it is not one of Orrery, or an older one, or its shell tools are off.',
    (v) => `'${v.id}' gives no terminals: it is an older device, or its shell tools are off`,
  ),
  UPGRADE_REQUIRED: entry('A route for WebSockets was called without an upgrade.', () => 'This route takes WebSockets only'),
  SERVER_STOPPING: entry('The server is shutting down and takes no new work.', () => 'The server is shutting down'),

  // Who may do what on a registered connection
  TASK_CLIENT_ID_REQUIRED: entry('A task does not name the client that requests it.', () => 'Client ID required'),
  CLIENT_ID_MISMATCH: entry(
    'A message names another client than the one that registered.',
    () => 'client_id does not match the registered connection',
  ),
  CLIENT_TYPE_MISMATCH: entry(
    'A message names another role than the one that registered.',
    () => 'client_type does not match the registered connection',
  ),
  TARGET_REQUIRED: entry('A task of a constellation names no device.', () => 'Constellation task requests require target_id'),
  TARGET_NOT_CONNECTED: entry<[{ id: string }]>(
    "A task's device is not online.",
    (v) => `Target device '${v.id}' is not connected`,
  ),
  TARGET_NOT_A_DEVICE: entry('The target of a task is not a device.', () => 'Constellation tasks may only target device clients'),
  TARGET_FORBIDDEN: entry('A device names another device as its target.', () => 'Device clients may not target other devices'),
  TARGET_OUT_OF_SCOPE: entry(
    'A constellation gave a task to a device that it did not register for.',
    () => 'Not authorized to give tasks to this device',
  ),
  INFO_FORBIDDEN: entry(
    'A device asked for device information.',
    () => 'DEVICE_INFO_REQUEST is permitted only for constellation clients',
  ),
  INFO_OUT_OF_SCOPE: entry(
    'A constellation asked about a device that it did not register for.',
    () => 'Not authorized to request device info for this device',
  ),
  SESSION_OWNED: entry<[{ id: string }]>(
    'A live session of another client has this id.',
    (v) => `session_id '${v.id}' is owned by another client`,
  ),
  SESSION_RUNNING: entry<[{ id: string }]>('The session is already live.', (v) => `session_id '${v.id}' is already running`),

  // Tasks
  EMPTY_REQUEST: entry('A task has no request.', () => 'Task request cannot be empty'),
  INVALID_TASK_ID: entry<[{ field: string }]>(
    'The session id or the request id of a task has characters that cannot be printed.',
    (v) => `${v.field} of a task must be printable characters`,
  ),
  MODEL_NOT_FOR_DEVICES: entry<[{ id: string; limit: number }]>(
    'A device asked for a task that uses the model of the server, and may not, or no more today.',
    (v) =>
      `Device '${v.id}' may ask for ${v.limit} tasks a day that use the model of the server: 'devices_may_ask' in server.yaml sets the number. Operators and constellations may ask`,
  ),
  TOO_MANY_QUESTIONS: entry<[{ limit: number }]>(
    'A session asks its user too many questions.',
    (v) => `A session may ask its user at most ${v.limit} questions`,
  ),
  INVALID_TASK_NAME: entry(
    'The task name has characters that are not allowed.',
    () => "Invalid task_name: must be a non-empty string of characters [A-Za-z0-9._-] and must not start with '.'",
  ),
  QUEUE_FULL: entry<[{ id: string; limit: number }]>(
    'Too many sessions wait for the device.',
    (v) => `Device '${v.id}' already has ${v.limit} waiting tasks, try again later`,
  ),
  TASKS_WAITING: entry<[{ id: string; limit: number }]>(
    'A client has sent more tasks at once than may wait on its connection.',
    (v) => `'${v.id}' already has ${v.limit} tasks that wait to be taken, try again later`,
  ),
  WORKFLOW_NOT_FOUND: entry<[{ name: string; names: string }]>(
    'No workflow has this name.',
    (v) => `There is no workflow '${v.name}'; there are: ${v.names}`,
  ),
  INVALID_WORKFLOW: entry<[{ detail: string }]>('A workflow file has mistakes; each is listed with its place.', (v) => v.detail),
  INVALID_INPUTS: entry<[{ name: string; detail: string; takes: string }]>(
    'The inputs of a workflow do not match what it takes.',
    (v) => `Workflow '${v.name}': ${v.detail}. It takes: ${v.takes}`,
  ),
  SECRET_NOT_FOUND: entry<[{ name: string; names: string; file: string }]>(
    'A workflow uses a secret that the server does not have.',
    (v) =>
      `${v.file} uses the secret '${v.name}', which this server does not have (it has: ${v.names}): add it to 'secrets' in server.yaml, or set ORRERY_SECRET_${v.name} where the server starts`,
  ),
  SECRET_UNREADABLE: entry<[{ name: string; detail: string }]>(
    'A secret of a workflow cannot be read where the server looks for it.',
    (v) => `The secret '${v.name}' cannot be used: ${v.detail}`,
  ),
  DEVICE_NOT_FOUND: entry<[{ id: string }]>(
    'No device with this id is known.',
    (v) => `Device '${v.id}' is not known here; 'orrery devices' lists the devices`,
  ),
  DEVICE_OFFLINE: entry<[{ id: string }]>('The device is known but not connected.', (v) => `Device '${v.id}' is not connected`),
  SESSION_NOT_FOUND: entry<[{ id: string }]>(
    'No session with this id is kept.',
    (v) => `Session '${v.id}' is not known here; 'orrery sessions' lists the sessions`,
  ),
  DEVICE_PACKAGE_MISSING: entry(
    'The server was started without the npm package for devices.',
    () =>
      'This server has no package for devices: in its checkout, `npm run pack` makes one. Or clone Orrery on the other machine and use `npm run device`',
  ),
  VALUE_NOT_FOUND: entry<[{ id: string; value: string }]>(
    'No event of the session refers to a value with this id.',
    (v) => `Session '${v.id}' has no value '${v.value}'`,
  ),
  ASK_NOT_FOUND: entry<[{ id: string }]>(
    'No ask of this id is open: it was answered, or has expired.',
    (v) => `There is no open ask '${v.id}'; 'orrery answer' lists them`,
  ),
  ASK_DIFFERS: entry<[{ id: string }]>(
    'An answer names another call than the one that waits.',
    (v) => `The call that waits as '${v.id}' is not the one that was shown; 'orrery answer' shows it`,
  ),
  NO_AGENT: entry(
    'No configured agent can run this request.',
    () =>
      "No model is configured, so a request in words cannot run. Start the server with ORRERY_MODEL and the key of its provider (OPENAI_API_KEY or ANTHROPIC_API_KEY), or with OLLAMA_HOST; 'orrery model check' tries it. Workflows and direct commands need no model: see 'orrery workflows' and 'orrery call --help'",
  ),
  TOOL_NOT_LISTED: entry<[{ id: string; tool: string; names: string }]>(
    'An existing device does not have a tool; it would not answer a command for it.',
    (v) => `Device '${v.id}' has no tool '${v.tool}'; it has: ${v.names}`,
  ),
  BATCH_NOT_SENT: entry(
    'A command was not sent because another one of its batch names a tool that the device does not have.',
    () => 'Not sent: another command of the batch names a tool that the device does not have',
  ),
  AGENT_FAILED: entry<[{ text: string }]>('The agent of a session failed.', (v) => v.text),
  CLIENT_DISCONNECTED: entry('The requester of a session dropped.', () => 'Task was cancelled due to client disconnection'),
  USER_CANCELLED: entry('A user cancelled the session.', () => 'Task was cancelled by the user'),
  SERVER_RESTARTED: entry(
    'The server stopped while the session ran, and the session cannot continue.',
    () => 'interrupted: the server restarted while this task ran',
  ),
  DISPATCH_UNANSWERED: entry<[{ seconds: number }]>(
    'A device did not start a dispatched task.',
    (v) => `The device did not take up the task within ${v.seconds} s`,
  ),
  STORE_FAILED: entry<[{ detail: string }]>(
    'The event log cannot be written.',
    (v) => `The event log cannot be written: ${v.detail}`,
  ),

  // Models; these become the error of a session
  MODEL_KEY_REFUSED: entry<[{ where: string; setting: string; detail: string }]>(
    "The model's endpoint refused the key.",
    (v) => `The model at ${v.where} refused the key: check ${v.setting} (${v.detail})`,
  ),
  MODEL_UNKNOWN: entry<[{ where: string; model: string; setting: string; address: string; detail: string }]>(
    "The model's endpoint does not know the model, or the address is not that of its API.",
    (v) => `There is no model '${v.model}' at ${v.where}: check ${v.setting}, and the address in ${v.address} (${v.detail})`,
  ),
  MODEL_RATE_LIMITED: entry<[{ where: string; setting: string; detail: string }]>(
    "The model's endpoint accepts no more requests for now, or the account has no credit left.",
    (v) => `The model at ${v.where} takes no more requests: wait, or check the account of the key in ${v.setting} (${v.detail})`,
  ),
  MODEL_CONTEXT_EXCEEDED: entry<[{ model: string; tokens: number; detail: string }]>(
    "The conversation does not fit the model's window, although it was shortened.",
    (v) =>
      `The conversation does not fit the window of '${v.model}': set model.context_tokens (now ${v.tokens}) to its real size (${v.detail})`,
  ),
  MODEL_WITHOUT_TOOLS: entry<[{ model: string; setting: string; detail: string }]>(
    'The model cannot call tools, which an agent needs.',
    (v) =>
      `The model '${v.model}' cannot call tools: name another in ${v.setting}, or turn on the tool parser of its endpoint (${v.detail})`,
  ),
  MODEL_WITHOUT_IMAGES: entry<[{ model: string; detail: string }]>(
    'The model does not take images.',
    (v) => `The model '${v.model}' takes no images: set model.images to false (${v.detail})`,
  ),
  MODEL_UNREACHABLE: entry<[{ where: string; setting: string; detail: string }]>(
    "The model's endpoint cannot be reached.",
    (v) => `No model answers at ${v.where}: is it running, and is ${v.setting} right? (${v.detail})`,
  ),
  MODEL_CUT_OFF: entry<[{ where: string; detail: string }]>(
    "The connection to the model's endpoint was lost repeatedly in the middle of an answer.",
    (v) => `The model at ${v.where} stops in the middle of its answers; model.retries says how often it is tried (${v.detail})`,
  ),
  MODEL_SILENT: entry<[{ where: string; seconds: number }]>(
    "The model's endpoint was silent for too long.",
    (v) => `The model at ${v.where} gave no sign for ${v.seconds} s; model.timeout_s says how long it may take`,
  ),
  MODEL_UNAVAILABLE: entry<[{ where: string; setting: string; detail: string }]>(
    "The model's endpoint fails repeatedly.",
    (v) => `The model at ${v.where} fails: try later, or check ${v.setting} (${v.detail})`,
  ),
  MODEL_SETTING_REFUSED: entry<[{ where: string; model: string; setting: string; detail: string }]>(
    'The model does not accept a setting of its request.',
    (v) => `The model '${v.model}' at ${v.where} does not accept ${v.setting}: leave it out or change it (${v.detail})`,
  ),
  MODEL_FOREIGN_ANSWER: entry<[{ where: string; setting: string; detail: string }]>(
    'What answers at the address is not a model, such as a page to sign in to a network.',
    (v) => `No model answers at ${v.where}: check ${v.setting}, and what is between; ${v.detail}`,
  ),
  MODEL_REFUSED: entry<[{ where: string; model: string; detail: string }]>(
    "The model's endpoint refused the request.",
    (v) => `The model '${v.model}' at ${v.where} refused the request: ${v.detail}`,
  ),
  MODEL_CALLS_AS_TEXT: entry<[{ model: string; where: string; setting: string }]>(
    'The model writes its tool calls into its text, and its endpoint does not read them there.',
    (v) =>
      `The model '${v.model}' at ${v.where} writes its calls as text: turn on the tool parser of its endpoint (vLLM: --enable-auto-tool-choice --tool-call-parser, llama.cpp: --jinja), or name another model in ${v.setting}`,
  ),
  MODEL_STOPPED: entry<[{ reason: string }]>(
    'The model ended its turn in a way that stops the task.',
    (v) => `The model cannot continue: ${v.reason}`,
  ),
  MODEL_BUDGET_SPENT: entry<[{ what: string; setting: string }]>(
    'A session has used up its budget for the model.',
    (v) => `The task was stopped after ${v.what}; ${v.setting} sets the limit`,
  ),

  // Talking with a task
  NO_QUESTION: entry<[{ id: string }]>('The session has no open question.', (v) => `Session '${v.id}' has no open question`),
  SESSION_ENDED: entry<[{ id: string }]>('The session has ended.', (v) => `Session '${v.id}' has ended`),
  SESSION_NOT_LISTENING: entry<[{ id: string }]>(
    'The session is a workflow or a list of commands, and these take no remarks.',
    (v) => `Session '${v.id}' takes no remarks: only tasks in words do`,
  ),

  // Commands; these become the error of a result
  COMMAND_TIMEOUT: entry<[{ seconds: number }]>(
    'A batch was not answered in time.',
    (v) => `No results from the device within ${v.seconds} s`,
  ),
  COMMAND_SEND_FAILED: entry<[{ tool: string; detail: string }]>(
    'A batch could not be sent.',
    (v) => `Error occurred while executing command ${v.tool}: ${v.detail}, please retry or execute a different command.`,
  ),
  REPLAY_DIVERGED: entry(
    'After a restart an agent asked for other commands than before.',
    () => 'The agent asks for other commands than before the restart',
  ),
  RESULT_MISSING: entry(
    'The device answered a batch without a result for this command.',
    () => 'The device sent no result for this command',
  ),

  // Binary messages and files
  TRANSFER_UNSUPPORTED: entry<[{ id: string }]>(
    'The device cannot copy files: its version is too old, or its server `files` is off.',
    (v) => `Device '${v.id}' cannot copy files: it needs a newer version of Orrery, and its MCP server 'files' on`,
  ),
  TRANSFER_FAILED: entry<[{ detail: string }]>(
    'The device could not send or receive a file; the message is its reason.',
    (v) => v.detail,
  ),
  LENGTH_REQUIRED: entry('A file was sent without its length.', () => 'The request needs a Content-Length'),

  // HTTP; the first three are those of existing peers
  EMPTY_TASK_CONTENT: entry('A dispatch has no request.', () => 'Empty task content'),
  EMPTY_CLIENT_ID: entry('A dispatch names no device.', () => 'Empty client ID'),
  CLIENT_NOT_ONLINE: entry('The device of a dispatch is not online.', () => 'Client not online'),
  NOT_FOUND: entry('No such path.', () => 'Not Found'),
  TOO_MANY_WRONG_KEYS: entry<[{ seconds: number }]>(
    'Many different wrong keys came from this address within a minute; a right key is still accepted.',
    (v) => `Too many wrong keys from this address: try again in ${v.seconds} s`,
  ),
  UNSUPPORTED_MEDIA_TYPE: entry(
    'The body of a request is not declared as JSON.',
    () => 'The body must be JSON: send it with the header Content-Type: application/json',
  ),
  METHOD_NOT_ALLOWED: entry('The path exists, the method does not.', () => 'Method Not Allowed'),
  INTERNAL: entry('A defect; the log of the server has the details.', () => 'Internal error; see the log of the server'),
})

export const { make: serverError, text: serverErrorText, ofText: serverErrorOfText, is: isServerError } = SERVER_ERRORS

/** The code of an error of the server. */
export type ServerErrorCode = keyof typeof SERVER_ERRORS.entries
