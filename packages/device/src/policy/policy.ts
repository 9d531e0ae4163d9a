import { dirname, join, resolve } from 'node:path'
import { AipError, errorText, type ToolType } from '@orrery/aip'
import { matchesName } from '../paths/glob.js'
import type { Environment } from '../process/child-environment.js'
import { findProgram, isProgram } from '../process/find-program.js'
import type { BuiltInTools, CallEffects } from './call-effects.js'
import { checkLaunch } from './launch-policy.js'
import type { PolicyAction, PolicyConfig, PolicyRule } from './policy-config.js'
import { PolicyViolation } from './policy-violation.js'
import { isInterpreter, startsPrograms } from './programs.js'
import { realPathOf, type Roots } from './roots.js'
import { grantsCommand, matchesHost, matchesPath, restrictsCommand, type CommandFacts } from './rule-patterns.js'
import { SYSTEM_PATH, allowStrict, shellCommand, type ShellMode } from './shell-policy.js'
import { splitCommand } from './split-command.js'

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

/** Everything that rules look at. */
interface Facts {
  command: CommandFacts | null
  /** Whether the call may start programs that its arguments do not show. */
  opaque: boolean
  /** Real paths and, where links lead elsewhere, the paths as given. */
  paths: { real: readonly string[]; given: readonly string[] }
  hosts: readonly string[]
}

/** Decides about calls of tools: the rules of the device's owner first, then what holds without any. */
export class Policy {
  readonly #options: PolicyOptions

  constructor(options: PolicyOptions) {
    this.#options = options
  }

  /** Returns whether what a call starts reads input that later calls send. */
  takesInput(call: ToolCall): boolean {
    try {
      return this.#describe(call)?.takesInput === true
    } catch {
      return false
    }
  }

  /** Decides about a call. Never throws: what cannot be understood is denied. */
  async decide(call: ToolCall): Promise<Verdict> {
    try {
      const effects = this.#describe(call)
      if (effects?.refused === true) return verdict('allow', 'arguments', 'the tool refuses these arguments itself')
      return await this.#judge(call, effects, await this.#factsOf(call, effects))
    } catch (error) {
      if (error instanceof PolicyViolation) return verdict('deny', error.rule, error.detail)
      if (error instanceof AipError) return verdict('deny', 'arguments', error.message)
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
      const command = this.#commandOf(this.#describe(call))
      if (command !== null) await allowStrict(command.argv, command.cwd, this.#options.roots)
      return true
    } catch {
      return false
    }
  }

  async #judge(call: ToolCall, effects: CallEffects | null, facts: Facts): Promise<Verdict> {
    const { rules } = this.#options.config
    /** A rule that may apply, though the call does not show it. */
    let doubt: string | null = null
    for (const [at, rule] of rules.entries()) {
      const name = `policy.rules[${at}]`
      if (!isAbout(rule, call)) continue
      if (rule.do === 'allow') {
        if (!this.#grants(rule, facts)) continue
        if (doubt !== null) return doubtful(doubt)
        return verdict('allow', name, 'allowed by this rule', this.#commandOf(effects))
      }
      if (this.#restricts(rule, facts)) return verdict(rule.do, name, `this rule says ${rule.do}`, this.#commandOf(effects))
      if (facts.opaque && rule.argv !== undefined) doubt ??= name
    }
    const otherwise = await this.#otherwise(call, effects)
    return otherwise.do === 'allow' && doubt !== null ? doubtful(doubt) : otherwise
  }

  /** What holds where no rule of the owner matches. */
  async #otherwise(call: ToolCall, effects: CallEffects | null): Promise<Verdict> {
    const { shell, roots } = this.#options
    const command = this.#commandOf(effects)
    if (call.builtIn && command !== null) {
      if (shell === 'full') return verdict('allow', 'shell.full', 'the shell of this device is open')
      try {
        if (effects?.launches === true) checkLaunch(command.argv)
        else await allowStrict(command.argv, command.cwd, roots)
        return verdict('allow', 'shell.strict', 'one of the programs that the strict shell knows as harmless')
      } catch (error) {
        if (!(error instanceof PolicyViolation)) throw error
        return verdict('ask', error.rule, error.detail, command)
      }
    }
    if (effects?.ownJob === true) return verdict('allow', 'own-job', 'the job was allowed when it was started')
    if (call.trusted && call.readOnly) return verdict('allow', 'read-only', 'the tool only reads')
    const rule = JSON.stringify({ tool: call.tool, do: 'allow' })
    return verdict('ask', 'default', `no rule of device.jsonc is about '${call.tool}'; its owner can add ${rule} to 'policy'`)
  }

  #grants({ argv, path, host }: PolicyRule, { command, paths, hosts }: Facts): boolean {
    const { cwd } = this.#options
    return (
      (argv === undefined || (command !== null && grantsCommand(argv, command))) &&
      (path === undefined || (paths.real.length > 0 && paths.real.every((each) => matchesPath(path, each, cwd)))) &&
      (host === undefined || (hosts.length > 0 && hosts.every((each) => matchesHost(host, each))))
    )
  }

  #restricts({ argv, path, host }: PolicyRule, { command, paths, hosts }: Facts): boolean {
    const { cwd } = this.#options
    return (
      (argv === undefined || (command !== null && restrictsCommand(argv, command.argv))) &&
      (path === undefined || [...paths.real, ...paths.given].some((each) => matchesPath(path, each, cwd))) &&
      (host === undefined || hosts.some((each) => matchesHost(host, each)))
    )
  }

  #describe({ builtIn, server, tool, args }: ToolCall): CallEffects | null {
    const { roots, shell, cwd, builtIn: tools } = this.#options
    return builtIn ? tools.describeCall(server, tool, args, { roots, shell, cwd }) : null
  }

  #commandOf(effects: CallEffects | null): { argv: readonly string[]; cwd: string } | null {
    if (effects?.argv === undefined) return null
    return { argv: effects.argv, cwd: effects.paths?.find(({ access: kind }) => kind === 'run')?.path ?? this.#options.cwd }
  }

  async #factsOf(call: ToolCall, effects: CallEffects | null): Promise<Facts> {
    const given = (effects?.paths ?? []).map(({ path }) => path)
    const real = await Promise.all(given.map((path) => realPathOf(path)))
    const hosts = [...(effects?.hosts ?? []), ...hostsIn(call.args)]
    const command = this.#commandOf(effects)
    if (command === null) return { command: null, opaque: false, paths: { real, given }, hosts }
    const argv = this.#wordsOf(command.argv)
    const shown = argv ?? command.argv
    const [program = ''] = shown
    return {
      command: { argv: shown, systemProgram: await this.#systemProgram(program, command.cwd) },
      opaque: argv === null || isInterpreter(program) || (startsPrograms(program) && shown.some((word) => isInterpreter(word))),
      paths: { real, given },
      hosts,
    }
  }

  /** The words of a line for the system's shell, if the shell would do nothing but run them; null if it would do more. */
  #wordsOf(argv: readonly string[]): readonly string[] | null {
    const [file, flag, line] = argv
    const { file: shell, args } = shellCommand(line ?? '')
    const isLine = this.#options.shell === 'full' && argv.length === args.length + 1 && file === shell && flag === args[0]
    if (!isLine) return argv
    try {
      const words = splitCommand(argv.at(-1) ?? '')
      return words.length === 0 || /^[A-Za-z_]\w*=/.test(words[0] ?? '') ? null : words
    } catch {
      return null
    }
  }

  /** The absolute path of a program of the system: found by its bare name, or named with a folder of the system. */
  async #systemProgram(program: string, cwd: string): Promise<string | null> {
    if (program === '') return null
    if (/[/\\]/.test(program)) {
      const path = resolve(cwd, program)
      return SYSTEM_PATH.includes(dirname(path)) && (await isProgram(path)) ? path : null
    }
    // With an open shell the first folder on the PATH counts, and only if it is one of the system.
    if (this.#options.shell === 'full') {
      const found = await findProgram(program, this.#options.env)
      return found !== null && SYSTEM_PATH.includes(dirname(found)) ? found : null
    }
    for (const folder of SYSTEM_PATH) if (await isProgram(join(folder, program))) return join(folder, program)
    return null
  }
}

function verdict(action: PolicyAction, rule: string, detail: string, command: Verdict['command'] = null): Verdict {
  return { do: action, rule, detail, command }
}

function doubtful(rule: string): Verdict {
  return verdict('ask', rule, 'the command can start programs that it does not show, and this rule may be about them')
}

function isAbout({ tool, server }: PolicyRule, call: ToolCall): boolean {
  const names = [call.tool, `${call.toolType}::${call.tool}`]
  return (
    (tool === undefined || names.some((name) => matchesName(tool, name))) &&
    (server === undefined || matchesName(server, call.server))
  )
}

/** The hosts of all addresses in arguments, with their port where one is given. */
function hostsIn(value: unknown): string[] {
  if (typeof value === 'string') {
    const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(value.trim()) ? URL.parse(value.trim()) : null
    return url === null || url.host === '' ? [] : [url.host]
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(hostsIn) : []
}

/** What a denied command answers. */
export function denial({ rule, detail }: Pick<Verdict, 'rule' | 'detail'>): AipError {
  return new AipError('POLICY_DENIED', errorText('POLICY_DENIED', { rule, detail }))
}
