import { defineErrors, entry } from './define-errors.js'

/**
 * The errors of the protocol, and those that more than one package reports or recognises. Texts that existing peers know are unchanged
 * (protocol reference, chapter 7); on the wire only the text travels, in the HTTP API code and text.
 */
export const ERRORS = defineErrors({
  // Messages
  INVALID_MESSAGE: entry<[{ detail: string }]>(
    'A message is not JSON, or a field is missing or has the wrong form.',
    (v) => `Invalid message format: ${v.detail}`,
  ),
  MESSAGE_TOO_LARGE: entry<[{ limit: number }]>(
    'A message is larger than the limit.',
    (v) => `Message exceeds the limit of ${v.limit} bytes`,
  ),
  TOO_MANY_VALUES: entry<[{ limit: number; keys: number }]>(
    'A message has more values, or an object in it more keys, than the limit.',
    (v) => `Message has more than ${v.limit} values, or an object with more than ${v.keys} keys`,
  ),
  UNKNOWN_MESSAGE_TYPE: entry<[{ type: string }]>(
    'A message of this type is not expected from this peer now.',
    (v) => `Unknown message type: ${v.type}`,
  ),
  TOO_MANY_ACTIONS: entry<[{ limit: number }]>(
    'A batch has too many commands.',
    (v) => `A batch may hold at most ${v.limit} commands`,
  ),
  REPORTED_BY_PEER: entry<[{ text: string }]>("The peer sent an error message; the text is the peer's.", (v) => v.text),

  // Registration
  UNAUTHORIZED: entry('The key is missing or wrong.', () => 'Invalid API key'),
  INVALID_CLIENT_ID: entry(
    'The client id has characters that are not allowed, or is too long.',
    () => 'client_id must be 1 to 128 letters, digits or _ . @ : -',
  ),

  // Tasks
  INVALID_CONFIG: entry<[{ detail: string }]>(
    'A configuration file has mistakes; each is listed with its place.',
    (v) => v.detail,
  ),
  DEVICE_DISCONNECTED: entry('The device of a session dropped.', () => 'Task was cancelled because target device disconnected'),

  // Commands; these become the error of a result
  INTERRUPTED: entry(
    'A command was running when its device or server died; it is not run again, because it may have had its effect.',
    () => 'interrupted: this command may or may not have had its effect',
  ),
  TOOL_UNKNOWN: entry<[{ key: string; computer: string }]>(
    'The device has no such tool.',
    (v) => `Tool ${v.key} is not registered in current computer: ${v.computer}`,
  ),
  TOOL_CANCELLED: entry('The command was cancelled.', () => 'cancelled'),
  POLICY_DENIED: entry<[{ rule: string; detail: string }]>(
    "The device's owner does not allow this.",
    (v) => `Denied by the device's policy (rule: ${v.rule}): ${v.detail}`,
  ),
  APPROVAL_DENIED: entry<[{ rule: string; place: string }]>(
    'The call needs approval, and an approver has denied it.',
    (v) => `Denied ${v.place}; approval was needed by the rule ${v.rule}`,
  ),
  JOURNAL_FAILED: entry<[{ detail: string }]>(
    "The device's journal cannot be written, so the device runs no command.",
    (v) => `The journal of the device cannot be written, so nothing is run: ${v.detail}`,
  ),

  // Transports
  NOT_CONNECTED: entry('Sending on a transport that was never connected.', () => 'Transport not connected'),
  CONNECTION_CLOSED: entry('Sending or receiving on a closed connection.', () => 'WebSocket connection is closed'),
  CONNECT_FAILED: entry<[{ url: string; detail: string }]>(
    'A connection could not be made.',
    (v) => `Failed to connect to ${v.url}: ${v.detail}`,
  ),
  SEND_FAILED: entry<[{ detail: string }]>('A message could not be sent.', (v) => `Failed to send data: ${v.detail}`),
  REGISTRATION_FAILED: entry<[{ id: string }]>('The server refused a registration.', (v) => `Registration failed for ${v.id}`),
  TIMEOUT: entry<[{ operation: string; seconds: number }]>(
    'Something took too long.',
    (v) => `${v.operation} timed out after ${v.seconds}s`,
  ),

  // Binary messages and files
  BINARY_EXPECTED: entry(
    'A text frame arrived where binary data was announced.',
    () => 'Expected binary WebSocket frame, but received text frame.',
  ),
  SIZE_MISMATCH: entry<[{ expected: number; actual: number }]>(
    'Data has another size than was announced.',
    (v) => `Size mismatch: expected ${v.expected} bytes, got ${v.actual} bytes`,
  ),
  CHECKSUM_MISMATCH: entry<[{ expected: string; actual: string }]>(
    'Data has another checksum than was announced.',
    (v) => `Checksum mismatch: expected ${v.expected}, got ${v.actual}`,
  ),
  TRANSFER_UNEXPECTED: entry<[{ expected: string; got: string }]>(
    'A file transfer did not follow its protocol.',
    (v) => `Expected ${v.expected}, got: ${v.got}`,
  ),
  FILE_NOT_FOUND: entry<[{ path: string }]>('A file or folder does not exist.', (v) => `File not found: ${v.path}`),
  FILE_TOO_LARGE: entry<[{ size: number; limit: number }]>(
    'A file is larger than its receiver accepts.',
    (v) => `The file has ${v.size} bytes, and at most ${v.limit} are accepted`,
  ),
  FILE_NAME_UNSAFE: entry<[{ name: string }]>(
    'A file name from the sender would lead out of its folder.',
    (v) => `'${v.name}' cannot be used as the name of a received file`,
  ),
  FILE_EXISTS: entry<[{ path: string }]>('A file would replace an existing one.', (v) => `File exists: ${v.path}`),
  TRANSFER_CUT: entry<[{ detail: string }]>(
    'A file transfer ended in the middle; the receiver keeps nothing of it.',
    (v) => `The file transfer ended in the middle: ${v.detail}`,
  ),

  // Tools of a device
  PATH_OUTSIDE_ROOTS: entry<[{ path: string; roots: string }]>(
    'A path, after following links, is outside the folders that the device shares.',
    (v) => `'${v.path}' is outside of the folders that this device shares: ${v.roots}`,
  ),
  PATH_CLOSED: entry<[{ path: string }]>(
    "A path is in the device's own folder: keys, configuration, journal.",
    (v) => `'${v.path}' belongs to the device itself and is closed to tools`,
  ),
  PATH_KIND: entry<[{ path: string; expected: string }]>(
    'A path leads to the wrong kind of thing, such as a folder instead of a file.',
    (v) => `'${v.path}' is not ${v.expected}`,
  ),
  FILE_CHANGED: entry<[{ path: string; detail: string }]>(
    'A file is not, or no longer, what the caller assumes.',
    (v) => `'${v.path}' was left as it is: ${v.detail}`,
  ),
  FILE_FAILED: entry<[{ path: string; detail: string }]>(
    'The system refused to work on a file.',
    (v) => `'${v.path}': ${v.detail}`,
  ),

  // Terminals
  TOO_MANY_TERMINALS: entry<[{ limit: number }]>(
    'A device, or all of them together, have as many interactive terminals open as they may.',
    (v) => `${v.limit} terminals are open already; close one of them`,
  ),

  // HTTP; the first three are those of existing peers
  INVALID_INPUT: entry<[{ detail: string }]>('A request body or parameter has the wrong form.', (v) => v.detail),
})

export const { make: aipError, text: errorText, ofText: errorOfText, is: isAipError } = ERRORS

/** The code of an error of the protocol. */
export type ErrorCode = keyof typeof ERRORS.entries
