import { AipError, errorText } from '@orrery/aip'

/** The rules that refuse a command. The name is part of the error, so an owner knows what to change. */
export type ShellRule =
  | 'shell.allow-list'
  | 'shell.arguments'
  | 'shell.environment'
  | 'shell.operators'
  | 'shell.program-path'
  | 'shell.roots'

/** A command that the device's owner does not allow; it was not started. */
export class PolicyViolation extends AipError {
  readonly rule: ShellRule
  /** What is refused, and what would be allowed. */
  readonly detail: string

  /** @param detail what is refused, and what would be allowed */
  constructor(rule: ShellRule, detail: string) {
    super('POLICY_DENIED', errorText('POLICY_DENIED', { rule, detail }))
    this.rule = rule
    this.detail = detail
  }
}
