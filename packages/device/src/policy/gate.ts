import { LIMITS, aipError, type AipError, type Clock, type Result } from '@orrery/aip'
import type { AuditEntry, AuditLog } from '../audit/audit-log.js'
import type { Approvals } from './approvals.js'
import { argumentsHash } from './arguments-hash.js'
import type { Permits } from './permits.js'
import { denial, type Policy, type ToolCall, type Verdict } from './policy.js'
import { questionText } from './question-text.js'
import { DEVICE_LIMITS } from '../limits.js'

/** Which command of which session a call is. */
export interface CallOrigin {
  sessionId: string | null
  callId: string | null
  agent: string | null
}

/** A call about which the policy has decided. */
export interface Passage {
  /** Why the call must not run; null if it may. */
  denied: AipError | null
  /** The call is over, or never ran: it goes into the audit. */
  close(result: Pick<Result, 'status' | 'error' | 'result'>): void
}

/** What a {@link Gate} is built from. */
export interface GateOptions {
  policy: Policy
  approvals: Approvals
  permits: Permits
  /** How texts name the device. */
  deviceName: string
  /** Null where nothing is kept. */
  audit: AuditLog | null
  /** Whether the audit holds the arguments themselves. */
  auditContents: boolean
  /** Called with each call and what it ran with, for the owner to see; nothing of it is kept. */
  onCall?: ((call: AuditEntry) => void) | undefined
  clock: Clock
}

/** What every tool call passes through: the policy, permission where it is needed, and the audit. */
export class Gate {
  #options: GateOptions

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** Replaces what decides. */
  update(rules: Pick<GateOptions, 'policy'>): void {
    this.#options = { ...this.#options, ...rules }
  }

  /** Returns whether a call changes nothing, as far as the device knows. */
  onlyReads(call: ToolCall): Promise<boolean> {
    return this.#options.policy.onlyReads(call)
  }

  /**
   * Decides about a call, asking where the policy says so.
   * @param signal ends the wait for an answer
   * @param waiting called when permission is asked for
   */
  async pass(call: ToolCall, origin: CallOrigin, signal: AbortSignal, waiting: () => void = () => {}): Promise<Passage> {
    const { policy, permits, clock } = this.#options
    const startedAt = clock.now()
    const verdict = await policy.decide(call)
    const { denied, by } =
      verdict.do === 'ask'
        ? await this.#ask(call, verdict, origin, signal, waiting)
        : { denied: verdict.do === 'deny' ? denial(verdict) : null, by: 'policy' }
    const release = denied === null && verdict.command !== null ? permits.grant(verdict.command.argv, verdict.command.cwd) : null
    return {
      denied,
      close: (result) => {
        release?.()
        this.#record(call, origin, {
          rule: verdict.rule,
          program: verdict.program,
          by,
          allowed: denied === null,
          result,
          startedAt,
        })
      },
    }
  }

  async #ask(
    call: ToolCall,
    verdict: Verdict,
    { sessionId, callId }: CallOrigin,
    signal: AbortSignal,
    waiting: () => void,
  ): Promise<{ denied: AipError | null; by: string }> {
    const { rule, detail } = verdict
    const summary = questionText(call, verdict)
    if (summary.length > LIMITS.askedCall) {
      const why = `The call has ${summary.length} characters, of which an approver is shown ${LIMITS.askedCall} at most, so approval is not asked for`
      return { denied: denial({ rule, detail: `${detail}. ${why}` }), by: 'nobody' }
    }
    const answer = await this.#options.approvals.request(
      {
        sessionId,
        callId: callId ?? '',
        tool: call.tool,
        argumentsHash: argumentsHash(call.args),
        summary,
      },
      signal,
      waiting,
    )
    if (signal.aborted) return { denied: aipError('TOOL_CANCELLED'), by: 'nobody' }
    if (answer === null || answer === 'expired') {
      const why = answer === null ? 'Approval could not be asked for' : 'Approval was asked for, and there was no answer in time'
      return { denied: denial({ rule, detail: `${detail}. ${why}` }), by: 'nobody' }
    }
    const { decision, by } = answer
    return { denied: decision === 'allow' ? null : aipError('APPROVAL_DENIED', { rule, place: this.#placeOf(by) }), by }
  }

  /** Where an approver has answered, in words. */
  #placeOf(by: string): string {
    const [, name] = /^server: (.*)$/s.exec(by) ?? []
    return name === undefined ? `at the terminal of ${this.#options.deviceName}` : `by ${name} at the server`
  }

  #record(
    call: ToolCall,
    { sessionId, callId, agent }: CallOrigin,
    end: {
      rule: string
      program: string | null
      by: string
      allowed: boolean
      result: Pick<Result, 'status' | 'error' | 'result'>
      startedAt: number
    },
  ): void {
    const { audit, auditContents, onCall, clock } = this.#options
    const { error, result } = end.result
    const entry = {
      time: new Date(end.startedAt).toISOString(),
      session_id: sessionId,
      call_id: callId,
      agent,
      tool: `${call.server}/${call.tool}`,
      program: end.program,
      arguments_hash: argumentsHash(call.args),
      decision: end.allowed ? 'allow' : 'deny',
      rule: end.rule,
      by: end.by,
      outcome: end.result.status,
      // An error may quote the arguments; how a program ended does not, and only that leaves a value beside it.
      error: call.builtIn && result !== null ? shorten(error) : null,
      duration_ms: Math.round(clock.now() - end.startedAt),
    } as const
    const whole = { ...entry, arguments: call.args, error: shorten(error) }
    onCall?.(whole)
    audit?.add(auditContents ? whole : entry)
  }
}

function shorten(text: string | null): string | null {
  return text === null || text.length <= DEVICE_LIMITS.keptError ? text : `${text.slice(0, DEVICE_LIMITS.keptError - 1)}…`
}
