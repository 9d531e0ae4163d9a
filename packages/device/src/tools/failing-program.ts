import { lineWords, type ShellMode } from '../policy/shell-policy.js'
import { splitCommand } from '../policy/split-command.js'

/** The value of a tool whose program ended with an error, and why that is a failure. */
export class FailingProgram<T> {
  readonly value: T
  readonly reason: string

  constructor(value: T, reason: string) {
    this.value = value
    this.reason = reason
  }
}

/** Returns the value alone where there is no reason. */
export function programValue<T>(value: T, reason: string | null): T | FailingProgram<T> {
  return reason === null ? value : new FailingProgram(value, reason)
}

/** What was run, by its words or as a line. */
interface WhatRan {
  program?: string | undefined
  args?: readonly string[]
  line?: string | undefined
}

/** The words of a command that has run; none where they are not known. */
export function argvThatRan({ program, args = [], line = '' }: WhatRan, shell: ShellMode): readonly string[] {
  if (program !== undefined) return [program, ...args]
  if (shell === 'full') return lineWords(line, shell)
  try {
    return splitCommand(line)
  } catch {
    return []
  }
}
