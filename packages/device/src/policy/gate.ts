import { LIMITS, aipError, type AipError, type Clock, type Result } from '@orrery/aip'
import type { AuditEntry, AuditLog } from '../audit/audit-log.js'
import type { AlwaysOffer, Approvals } from './approvals.js'
import { ruleText, type AlwaysRule } from './always-rule.js'
import { argumentsHash } from './arguments-hash.js'
import type { Permits } from './permits.js'
import { denial, type Policy, type ToolCall, type Verdict } from './policy.js'
import { questionText } from './question-text.js'
import { DEVICE_LIMITS } from '../limits.js'
import { deviceError } from '../errors.js'

/** Which command of which session a call is. */
export interface CallOrigin {
  sessionId: string | null
  callId: string | null
  agent: string | null
  /** Who asked the server for it, and for what, as the server says. */
  requestedBy?: string | null | undefined
  task?: string | null | undefined
}

/** A call about which the policy has decided. */
export interface Passage {
  /** Why the call must not run; null if it may. */
  denied: AipError | null
  /** Whether an approval was asked for. */
  asked: boolean
  /** What was allowed has begun and may last: the audit has that too. */
  begun(): void
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
  /** Where the owner's rules are, and how one more gets there; null if there is no such file. */
  rules?: { file: string; add(rule: AlwaysRule): Promise<void> } | undefined
  clock: Clock
}

/** Why a call must not run, or null, who decided, and the rule that was added with that. */
interface Decision {
  denied: AipError | null
  by: string
  rule?: string
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
    const { denied, by, rule }: Decision =
      verdict.do === 'ask'
        ? await this.#ask(call, verdict, origin, signal, waiting)
        : { denied: verdict.do === 'deny' ? denial(verdict) : null, by: 'policy' }
    const release = denied === null && verdict.command !== null ? permits.grant(verdict.command.argv, verdict.command.cwd) : null
    const decided = { rule: rule ?? verdict.rule, program: verdict.program, by, allowed: denied === null, startedAt }
    return {
      denied,
      asked: verdict.do === 'ask',
      begun: () => this.#record(call, origin, { ...decided, result: { status: 'started', error: null, result: null } }),
      close: (result) => {
        release?.()
        this.#record(call, origin, { ...decided, result })
      },
    }
  }

  async #ask(
    call: ToolCall,
    verdict: Verdict,
    { sessionId, callId, agent, requestedBy = null, task = null }: CallOrigin,
    signal: AbortSignal,
    waiting: () => void,
  ): Promise<Decision> {
    const { rule, detail } = verdict
    const summary = questionText(call, verdict)
    if (summary.length > LIMITS.askedCall) {
      const why = `The call has ${summary.length} characters, of which an approver is shown ${LIMITS.askedCall} at most, so approval is not asked for`
      return { denied: denial({ rule, detail: `${detail}. ${why}` }), by: 'nobody' }
    }
    const always = await this.#options.policy.always(call, verdict)
    const answer = await this.#options.approvals.request(
      {
        sessionId,
        callId: callId ?? '',
        tool: call.tool,
        argumentsHash: argumentsHash(call.args),
        summary,
        agent,
        requestedBy,
        task,
        always: this.#offer(call, always),
      },
      signal,
      waiting,
    )
    if (signal.aborted) return { denied: aipError('TOOL_CANCELLED'), by: 'nobody' }
    if (answer === null || answer === 'expired') {
      const why = answer === null ? 'Approval could not be asked for' : 'Approval was asked for, and there was no answer in time'
      return { denied: denial({ rule, detail: `${detail}. ${why}` }), by: 'nobody' }
    }
    const { decision, by, rule: added } = answer
    const denied = decision === 'allow' ? null : aipError('APPROVAL_DENIED', { rule, place: this.#placeOf(by) })
    return { denied, by, ...(added === undefined ? {} : { rule: added }) }
  }

  /** Where an approver has answered, in words. */
  #placeOf(by: string): string {
    const [, name] = /^server: (.*)$/s.exec(by) ?? []
    return name === undefined ? `at the terminal of ${this.#options.deviceName}` : `by ${name} at the server`
  }

  /** The rule that would allow such calls from now on; null if there is none, or no file for it. */
  #offer(call: ToolCall, always: AlwaysRule | null): AlwaysOffer | null {
    const { rules } = this.#options
    if (always === null || rules === undefined) return null
    const rule = ruleText(always.rule)
    return {
      rule,
      file: rules.file,
      beyond: always.rule.argv === undefined ? null : 'in any folder, and with any input',
      add: async () => {
        // Since the question was asked, rules may have been added or changed.
        const { policy: now } = this.#options
        const decided = await now.decide(call)
        if (decided.do === 'allow') return decided.rule
        const place = decided.do === 'ask' ? await now.always(call, decided) : null
        if (place === null || ruleText(place.rule) !== rule)
          throw deviceError('RULE_NOT_ADDED', { file: rules.file, detail: 'its rules have changed since the question' })
        await rules.add(place)
        return `policy.rules[${place.at}]`
      },
    }
  }

  #record(
    call: ToolCall,
    { sessionId, callId, agent, requestedBy }: CallOrigin,
    end: {
      rule: string
      program: string | null
      by: string
      allowed: boolean
      result: Pick<Result, 'error' | 'result'> & { status: Result['status'] | 'started' }
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
      ...(requestedBy === null || requestedBy === undefined ? {} : { requested_by: requestedBy }),
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
