import { basename } from 'node:path'
import { constants } from 'node:os'
import { errorText } from '@orrery/aip'
import type { ProcessOutcome } from './run-process.js'

/** What the codes of some programs mean; of them a code other than 0 need not be a mistake. */
const MEANINGS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  ...same(['grep', 'egrep', 'fgrep', 'zgrep', 'rg', 'ag', 'ack'], { 1: 'no match' }),
  ...same(['diff', 'cmp', 'colordiff', 'zdiff', 'zcmp'], { 1: 'they differ' }),
  ...same(['test', '[', '[['], { 1: 'the condition is false' }),
  ...same(['pgrep', 'pkill', 'killall', 'pidof'], { 1: 'no such process' }),
  ...same(['which', 'whereis'], { 1: 'not found' }),
  ...same(['expr'], { 1: 'the value is empty or 0' }),
  ...same(['false'], { 1: 'its only answer' }),
  ...same(['timeout'], { 124: 'it ran out of time' }),
  ...same(['systemctl'], { 3: 'not active', 4: 'no such unit' }),
  ...same(['ssh', 'scp', 'sftp'], { 255: 'no connection' }),
  ...same(['ping'], { 1: 'no answer', 2: 'unknown host, or another error' }),
  ...same(['curl'], {
    6: 'unknown host',
    7: 'no connection',
    22: 'the server answered with an error',
    28: 'it ran out of time',
    60: 'the certificate is not trusted',
  }),
}

/** What a shell says with its own codes (POSIX, 2.8.2). */
const OF_SHELLS: Readonly<Record<number, string>> = { 126: 'it may not be executed', 127: 'no such program' }

/** How many signals a shell tells by a code above 128. */
const SIGNALS = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

/** How a program ended. `code` is null where a signal ended it. */
export interface ProgramEnd {
  code: number | null
  signal: string | null
}

/** How a program ended, as a tool tells it. */
export interface ToldRun {
  ended: ProcessOutcome['ended']
  exit_code: number | null
  signal?: string | undefined
}

/**
 * Why the end of a program is a failure, in words; null for the code 0.
 * @param argv the program and its arguments; a line for a shell is `[shell, '-c', line]`
 */
export function failedEnd({ code, signal }: ProgramEnd, argv: readonly string[]): string | null {
  if (code === 0) return null
  if (code === null) return signal === null ? 'it did not end by itself' : `ended by ${signal}`
  const line = lineOf(argv)
  const program = line === null ? (argv[0] ?? '') : lastProgram(line)
  const known = MEANINGS[basename(program)]
  const meaning = known !== undefined && Object.hasOwn(known, code) ? known[code] : line === null ? undefined : ofShell(code)
  return `exit code ${code}${meaning === undefined ? '' : ` (${meaning})`}`
}

/** The same for a program that this device has waited for, as its tool tells it. @param limitMs its time limit */
export function failedRun(run: ToldRun, argv: readonly string[], limitMs: number): string | null {
  if (run.ended === 'timeout') return `ended after ${limitMs / 1000} s, its time limit`
  if (run.ended === 'cancelled') return errorText('TOOL_CANCELLED')
  return failedEnd({ code: run.exit_code, signal: run.signal ?? null }, argv)
}

/** The code that a shell gives for a program that ended by a signal: 128 and its number. */
export function codeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}

function ofShell(code: number): string | undefined {
  return OF_SHELLS[code] ?? (code > 128 ? SIGNALS.get(code - 128) : undefined)
}

/** The line that a shell is given; null for other programs. */
function lineOf([program = '', ...args]: readonly string[]): string | null {
  if (/^(ba|da|z|k)?sh$/.test(basename(program)) && args.length === 2 && args[0] === '-c') return args[1] ?? null
  return null
}

/** The program whose code is that of a line, as far as that can be seen without being a shell; empty where it cannot. */
function lastProgram(line: string): string {
  // Quotes hide operators, and of the last command only the first word counts.
  const plain = line.replaceAll(/\\.|'[^']*'|"(?:[^"\\]|\\.)*"/gs, '_')
  if (/&&|\|\||[`(){}]/.test(plain)) return ''
  const last =
    plain
      .trim()
      .split(/[|;\n&]/)
      .at(-1)
      ?.trim() ?? ''
  return /^(?:\w+=\S*\s+)*(\S+)/.exec(last)?.[1] ?? ''
}

function same(
  programs: readonly string[],
  codes: Readonly<Record<number, string>>,
): Record<string, Readonly<Record<number, string>>> {
  return Object.fromEntries(programs.map((program) => [program, codes]))
}
