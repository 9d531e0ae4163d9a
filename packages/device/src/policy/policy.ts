import { AipError, errorText, type ToolType } from '@orrery/aip'
import { matchesName } from '../paths/glob.js'
import type { Environment } from '../process/child-environment.js'
import type { BuiltInTools, CallEffects } from './call-effects.js'
import { narrowRule, type AlwaysRule } from './always-rule.js'
import { commandOf, factsOf, type CallFacts, type CommandToRun } from './call-facts.js'
import { launchArguments } from './launch-policy.js'
import type { PolicyAction, PolicyConfig, PolicyRule } from './policy-config.js'
import { PolicyViolation } from './policy-violation.js'
import type { Roots } from './roots.js'
import { programName } from './programs.js'
import { leadsWithin, matchesPath, mayMatchIn, pathPattern, type PathPattern } from './path-patterns.js'
import { grantsCommand, matchesHost, restrictsCommand } from './rule-patterns.js'
import { allowStrict, type ShellMode } from './shell-policy.js'

/** One call of a tool, before it runs. */
export interface ToolCall {
  tool: string
  toolType: ToolType
  /** The MCP server that has the tool. */
  server: string
  /** Whether the server comes with the device; of others nothing is known but the arguments. */
  builtIn: boolean
  /** Whether the annotations of the tool count. */
  trusted: boolean
  readOnly: boolean
  args: Record<string, unknown>
}

/** What the policy says about a call. */
export interface Verdict {
  do: PolicyAction
  /** What decided: `policy.rules[2]`, or the name of a rule that always holds. */
  rule: string
  /** A human-readable reason. */
  detail: string
  /** The command that the strict shell must let through although it is not on its list. */
  command: { argv: readonly string[]; cwd: string } | null
  /**
   * What is started may read input that later calls send without another question. Who allows the start of a `shell`, or of anything that may take
   * commands, allows all that is sent to it.
   */
  input: 'none' | 'unasked' | 'shell'
  /** The program of a command, by its name alone; null where there is none, or it is not known. */
  program: string | null
  /** What is wrong with the arguments, where the call cannot run whatever the policy says; null otherwise. */
  invalid: AipError | null
}

/** What a {@link Policy} is built from. */
export interface PolicyOptions {
  config: PolicyConfig
  shell: ShellMode
  roots: Roots
  /** The folder in which commands run unless they name another. */
  cwd: string
  /** The device's own environment. */
  env: Environment
  /** What is known of the tools that come with the device. */
  builtIn: BuiltInTools
}

/** Decides about calls of tools: the rules of the device's owner first, then what holds without any. */
export class Policy {
  readonly #options: PolicyOptions

  constructor(options: PolicyOptions) {
    this.#options = options
  }

  /** Decides about a call. Never throws: what cannot be understood is denied. */
  async decide(call: ToolCall): Promise<Verdict> {
    try {
      const effects = this.#describe(call)
      if (effects?.refused !== undefined) return verdict('allow', 'arguments', effects.refused)
      const namesPaths = this.#options.config.rules.some(({ path }) => path !== undefined)
      const facts = await factsOf(call.args, effects, this.#options, namesPaths)
      const program = facts.command === null ? null : programName(facts.command.argv[0] ?? '')
      const judged = { ...(await this.#judge(call, effects, facts)), program }
      return effects?.takesInput === true ? { ...judged, input: facts.opaque ? 'shell' : 'unasked' } : judged
    } catch (error) {
      if (error instanceof PolicyViolation) return verdict('deny', error.rule, error.detail)
      if (error instanceof AipError) return { ...verdict('deny', 'arguments', error.message), invalid: error }
      throw error
    }
  }

  /**
   * Returns whether a call changes nothing, as far as the device knows: its tool says so and is trusted, and of the strict shell's commands
   * only those are meant that need no rule of the owner.
   */
  async onlyReads(call: ToolCall): Promise<boolean> {
    if (!call.trusted || !call.readOnly) return false
    try {
      const command = await commandOf(this.#describe(call), this.#options)
      if (command !== null) await allowStrict(command.argv, command.cwd, this.#options.roots)
      return true
    } catch {
      return false
    }
  }

  /**
   * Returns the rule by which such a call would not be asked about again, as narrow as a rule can be.
   * @param asked what was decided about the call
   * @returns null if there is none that would allow exactly this
   */
  async always(call: ToolCall, asked: Verdict): Promise<AlwaysRule | null> {
    const { config } = this.#options
    const facts = await factsOf(call.args, this.#describe(call), this.#options, true)
    const rule = narrowRule(call, facts)
    if (rule === null) return null
    const at = Number(/^policy\.rules\[(\d+)\]$/.exec(asked.rule)?.[1] ?? config.rules.length)
    const then = new Policy({ ...this.#options, config: { ...config, rules: config.rules.toSpliced(at, 0, rule) } })
    return (await then.decide(call)).do === 'allow' ? { rule, at } : null
  }

  async #judge(call: ToolCall, effects: CallEffects | null, facts: CallFacts): Promise<Verdict> {
    const { rules } = this.#options.config
    /** A rule that may apply, though the call does not show it. */
    let doubt: { rule: string; command: CommandToRun | null } | null = null
    for (const [at, rule] of rules.entries()) {
      const name = `policy.rules[${at}]`
      if (!isAbout(rule, call)) continue
      const pattern = rule.path === undefined ? null : await pathPattern(rule.path, this.#options.cwd)
      if (rule.do === 'allow') {
        if (!this.#grants(rule, pattern, facts)) continue
        const { argv = [] } = rule
        const words = argv[0] === '**' ? argv : argv.slice(1)
        if (facts.run !== null && !(await leadsWithin(words, facts.command?.argv.slice(1) ?? [], facts.run.cwd))) continue
        if (doubt !== null) return doubtful(doubt)
        return verdict('allow', name, 'allowed by this rule', facts.run)
      }
      if (this.#restricts(rule, pattern, facts)) return verdict(rule.do, name, `this rule says ${rule.do}`, facts.run)
      if (this.#mayRestrict(rule, pattern, facts)) doubt ??= { rule: name, command: facts.run }
    }
    const otherwise = await this.#otherwise(call, effects, facts.run)
    return otherwise.do === 'allow' && doubt !== null ? doubtful(doubt) : otherwise
  }

  /** What holds where no rule of the owner matches. */
  async #otherwise(call: ToolCall, effects: CallEffects | null, command: CommandToRun | null): Promise<Verdict> {
    const { shell, roots } = this.#options
    if (call.builtIn && command !== null) {
      if (effects?.interactive === true && shell === 'strict') return verdict('deny', 'shell.terminal', NO_TERMINAL)
      if (shell === 'full') return verdict('allow', 'shell.full', 'the shell of this device is open')
      try {
        if (effects?.launches === true) await launchArguments(command.argv, { cwd: command.cwd, roots })
        else await allowStrict(command.argv, command.cwd, roots)
        return verdict('allow', 'shell.strict', 'one of the programs that the strict shell knows as harmless')
      } catch (error) {
        if (!(error instanceof PolicyViolation)) throw error
        const rule = JSON.stringify({ argv: [command.argv[0] ?? '', '**'], do: 'allow' })
        return verdict('ask', error.rule, `${error.detail}; ${remedy(rule)}`, command)
      }
    }
    if (effects?.ownJob === true) return verdict('allow', 'own-job', 'the job was allowed when it was started')
    if (call.trusted && call.readOnly) return verdict('allow', 'read-only', 'the tool only reads')
    const rule = JSON.stringify({ tool: call.tool, do: 'allow' })
    return verdict('ask', 'default', `'${call.tool}' needs approval; ${remedy(rule)}`)
  }

  #grants(rule: PolicyRule, pattern: PathPattern | null, { command, setsVariables, paths, hosts }: CallFacts): boolean {
    const { tool, server, argv, path, host } = rule
    const touched = [...paths.real, ...paths.named]
    // A folder or a host says nothing about the command that runs in it, or with it.
    if (command !== null && argv === undefined && (host !== undefined || (path !== undefined && (tool ?? server) === undefined)))
      return false
    return (
      (argv === undefined || (command !== null && !setsVariables && grantsCommand(argv, command))) &&
      (pattern === null || (touched.length > 0 && touched.every((each) => matchesPath(pattern, each)))) &&
      (host === undefined || (hosts.length > 0 && hosts.every((each) => matchesHost(host, each))))
    )
  }

  #restricts({ argv, host }: PolicyRule, pattern: PathPattern | null, { command, paths, hosts }: CallFacts): boolean {
    const touched = [...paths.real, ...paths.given, ...paths.named]
    return (
      (argv === undefined || (command !== null && restrictsCommand(argv, command.argv))) &&
      (pattern === null || touched.some((each) => matchesPath(pattern, each))) &&
      (host === undefined || hosts.some((each) => matchesHost(host, each)))
    )
  }

  /** Returns whether a rule may be about what a call does without showing it: programs that it starts, or contents of a folder. */
  #mayRestrict({ argv, host }: PolicyRule, pattern: PathPattern | null, { opaque, paths }: CallFacts): boolean {
    if (opaque && (argv !== undefined || host !== undefined || pattern !== null)) return true
    return pattern !== null && paths.deep.some((folder) => mayMatchIn(pattern, folder))
  }

  #describe({ builtIn, server, tool, args }: ToolCall): CallEffects | null {
    const { roots, shell, cwd, builtIn: tools } = this.#options
    return builtIn ? tools.describeCall(server, tool, args, { roots, shell, cwd }) : null
  }
}

const NO_TERMINAL =
  'a terminal can do what an open shell can, and the shell of this device is strict; to be asked about each one, add {"tool":"terminal","do":"ask"} to "policy" in device.jsonc'

function verdict(action: PolicyAction, rule: string, detail: string, command: Verdict['command'] = null): Verdict {
  return { do: action, rule, detail, command, input: 'none', program: null, invalid: null }
}

/** What the owner of the device can do about a call that needs approval each time. */
function remedy(rule: string): string {
  return `to allow it always, add ${rule} to "policy" in device.jsonc`
}

function doubtful({ rule, command }: { rule: string; command: CommandToRun | null }): Verdict {
  return verdict(
    'ask',
    rule,
    'the call may do more than it shows, by programs that it starts or in a folder that it works on, and this rule may be about that',
    command,
  )
}

function isAbout({ tool, server }: PolicyRule, call: ToolCall): boolean {
  const names = [call.tool, `${call.toolType}::${call.tool}`]
  return (
    (tool === undefined || names.some((name) => matchesName(tool, name))) &&
    (server === undefined || matchesName(server, call.server))
  )
}

/** What a denied command answers; what is wrong with its arguments is not the policy's decision. */
export function denial({
  rule,
  detail,
  invalid = null,
}: Pick<Verdict, 'rule' | 'detail'> & Partial<Pick<Verdict, 'invalid'>>): AipError {
  return invalid ?? new AipError('POLICY_DENIED', errorText('POLICY_DENIED', { rule, detail }))
}
