import { defineErrors, entry } from '@orrery/aip'

/** The errors of the device. */
export const DEVICE_ERRORS = defineErrors({
  // Commands; these become the error of a result
  DEVICE_BUSY: entry<[{ id: string }]>(
    'Another session runs on the device.',
    (v) => `busy: session '${v.id}' is running on this device`,
  ),
  NOT_READ_ONLY: entry<[{ tool: string }]>(
    'A command was sent as a concurrent read, and its tool is not one that the device trusts to be read-only.',
    (v) => `${v.tool} cannot run beside a session: it is not a trusted read-only tool`,
  ),
  TOOL_TIMEOUT: entry<[{ tool: string; seconds: number }]>(
    'A tool ran longer than allowed.',
    (v) => `Tool ${v.tool} execution timed out after ${v.seconds}s`,
  ),
  TOOL_FAILED: entry<[{ tool: string; detail: string }]>('A tool failed.', (v) => `Tool ${v.tool} execution failed: ${v.detail}`),
  EARLIER_FAILURE: entry('An earlier command of the batch failed.', () => 'Skipped due to previous failure (early_exit=True).'),
  MCP_SERVER_FAILED: entry<[{ name: string; detail: string }]>(
    'An MCP server of the device does not run.',
    (v) => `MCP server '${v.name}' is not running: ${v.detail}`,
  ),

  // Binary messages and files
  TRANSFER_REFUSED: entry(
    'A device asked for a connection that no file transfer waits for, or not from it.',
    () => 'No file transfer waits for this device under this id',
  ),

  // Tools of a device
  PATH_ANCHORED: entry<[{ path: string }]>(
    'A folder that the device shares, or one that holds it, would be moved or deleted.',
    (v) => `'${v.path}' is or holds a folder that the device depends on; it can be neither moved nor deleted`,
  ),
  EDIT_UNMATCHED: entry<[{ path: string; count: number }]>(
    'The text to replace is not in the file, or is there more than once.',
    (v) =>
      v.count === 0
        ? `The text to replace is not in '${v.path}'; it must match exactly, blanks and line ends included`
        : `The text to replace is ${v.count} times in '${v.path}'; give more of its surroundings, or set replace_all`,
  ),
  NOT_SUPPORTED: entry<[{ what: string; detail: string }]>(
    'A tool cannot work on this machine as it is: the operating system or a program is missing.',
    (v) => `${v.what} is not supported here: ${v.detail}`,
  ),
  RULE_NOT_ADDED: entry<[{ file: string; detail: string }]>(
    "A rule could not be added to a device's configuration.",
    (v) => `The rule is not in ${v.file}: ${v.detail}`,
  ),
  PRESET_UNAVAILABLE: entry<[{ preset: string; detail: string }]>(
    'An MCP server that the configuration adds by name cannot start: a package or a program is not installed.',
    (v) => `The preset '${v.preset}' cannot start: ${v.detail}`,
  ),
  JOB_ENDED: entry<[{ id: string }]>(
    'Input was sent to a job that has ended, or whose input was closed.',
    (v) => `The job '${v.id}' no longer takes input`,
  ),
  TOO_MANY_JOBS: entry<[{ limit: number }]>(
    'A device runs as many background jobs as it may.',
    (v) => `${v.limit} jobs run already; stop one with stop_job`,
  ),
  NO_SUCH_ITEM: entry<[{ what: string; id: string }]>(
    'A tool was asked for a job, an output or a window that it does not know.',
    (v) => `There is no ${v.what} '${v.id}'`,
  ),
})

export const { make: deviceError, text: deviceErrorText, is: isDeviceError } = DEVICE_ERRORS
