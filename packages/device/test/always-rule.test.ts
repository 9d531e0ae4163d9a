import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addRule } from '../src/config/add-rule.js'
import {
  loadDeviceConfig,
  parseDeviceConfig,
  type AuditEntry,
  type DeviceEvent,
  type DeviceOptions,
  type TerminalAsk,
} from '../src/index.js'
import { temporaryFolders } from './support/temporary.js'
import { toolCaller, type ToolCaller } from './support/tool-caller.js'

const folder = temporaryFolders()

interface Always extends AsyncDisposable {
  cwd: string
  file: string
  asked: TerminalAsk[]
  tools: ToolCaller
  audit(): AuditEntry[]
}

/** A device whose owner always answers with a rule, if one is offered. */
async function alwaysAllowing(text: string): Promise<Always> {
  const cwd = folder()
  const file = join(folder(), 'device.jsonc')
  writeFileSync(file, text)
  const asked: TerminalAsk[] = []
  const events: DeviceEvent[] = []
  const load = () => loadDeviceConfig(file)
  const options: Partial<DeviceOptions> = {
    cwd,
    config: await load(),
    configFile: { path: file, load },
    auditPath: join(folder(), 'audit.jsonl'),
    onEvent: (event) => void events.push(event),
    approver: async (ask) => {
      asked.push(ask)
      if (ask.always === null) return 'deny'
      const taken = events.length
      const rule = await ask.always.add()
      // What follows is decided with the new rules.
      await expect.poll(() => events.slice(taken).some(({ type }) => type === 'configured'), { timeout: 30_000 }).toBe(true)
      return { rule }
    },
  }
  const tools = await toolCaller(options)
  return {
    cwd,
    file,
    asked,
    tools,
    audit: () =>
      readFileSync(options.auditPath ?? '', 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as AuditEntry),
    [Symbol.asyncDispose]: () => tools[Symbol.asyncDispose](),
  }
}

describe.runIf(process.platform !== 'win32')('a rule from a question', () => {
  it('is exactly the words of a command, and no other command is allowed by it', async () => {
    await using at = await alwaysAllowing('{}')
    await at.tools.value('run_command', { program: 'touch', args: ['a'] })
    expect(at.asked[0]?.always?.rule).toBe('{ "tool": "run_command", "argv": ["touch", "a"], "do": "allow" }')
    await at.tools.value('run_command', { program: 'touch', args: ['a'] })
    expect(at.asked).toHaveLength(1)
    await at.tools.value('run_command', { program: 'touch', args: ['b'] })
    expect(at.asked).toHaveLength(2)
    expect((await loadDeviceConfig(at.file)).policy.rules.map(({ argv }) => argv)).toEqual([
      ['touch', 'a'],
      ['touch', 'b'],
    ])
    await expect
      .poll(() => at.audit().map(({ rule, by }) => `${rule} ${by}`))
      .toEqual(['policy.rules[0] terminal', 'policy.rules[0] policy', 'policy.rules[1] terminal'])
  })

  it('is about the paths of a tool, where its links lead', async () => {
    await using at = await alwaysAllowing('{}')
    mkdirSync(join(at.cwd, 'real'))
    symlinkSync('real', join(at.cwd, 'link'))
    await at.tools.value('write_file', { path: 'link/a.txt', content: 'x' })
    expect(at.asked[0]?.always?.rule).toContain(`"path": "${join(at.cwd, 'real', 'a.txt')}"`)
    await at.tools.value('write_file', { path: 'real/a.txt', content: 'y' })
    expect(at.asked).toHaveLength(1)
    await at.tools.value('move_file', { from: 'real/a.txt', to: 'b.txt' })
    expect(at.asked[1]?.always?.rule).toContain(`"path": "${at.cwd}/{real/a.txt,b.txt}"`)
    expect(existsSync(join(at.cwd, 'b.txt'))).toBe(true)
  })

  it('comes before the rule that asked', async () => {
    await using at = await alwaysAllowing(
      '{ "shell": "full", "policy": [{ "tool": "x", "do": "deny" }, { "argv": ["touch", "**"], "do": "ask" }] }',
    )
    await at.tools.value('run_command', { program: 'touch', args: ['a'] })
    await at.tools.value('run_command', { program: 'touch', args: ['a'] })
    expect(at.asked).toHaveLength(1)
    expect((await loadDeviceConfig(at.file)).policy.rules.map(({ do: action }) => action)).toEqual(['deny', 'allow', 'ask'])
  })

  it('is not offered where no rule says exactly that', async () => {
    await using at = await alwaysAllowing('{}')
    await at.tools.error('run_command', { program: 'touch', args: ['*'] })
    await at.tools.error('run_command', { program: 'touch', args: ['a'], env: { LD_PRELOAD: '/x.so' } })
    await at.tools.error('write_file', { path: 'what?.txt', content: '' })
    expect(at.asked.map(({ always }) => always)).toEqual([null, null, null])
  })
})

describe('adding a rule to a configuration', () => {
  const rule = { tool: 'write_file', do: 'allow' } as const

  async function added(text: string, at = 0): Promise<string> {
    const file = join(folder(), 'device.jsonc')
    writeFileSync(file, text)
    await addRule(file, { rule, at }, parseDeviceConfig(text, file).policy.rules)
    return readFileSync(file, 'utf8')
  }

  it.each([
    ['{}'],
    ['{\n  // nothing yet\n}\n'],
    ['{ "policy": [] }'],
    ['{ "policy": { "approvers": ["server"] } }'],
    ['{\n\t"policy": {\n\t\t"rules": [ // mine\n\t\t\t{ "do": "ask" }, /* all */\n\t\t],\n\t},\n}\n'],
    ['{ "policy": [{ "tool": "a", "do": "deny" }, { "do": "ask" }] }'],
  ])('keeps the rest of %j', async (text) => {
    const { rules } = parseDeviceConfig(text, 'x').policy
    for (let at = 0; at <= rules.length; at += 1) {
      const next = await added(text, at)
      expect(parseDeviceConfig(next, 'x').policy.rules).toEqual(rules.toSpliced(at, 0, rule))
      for (const comment of text.match(/\/\/ .*|\/\*.*?\*\//g) ?? []) expect(next).toContain(comment)
      expect(next).toContain('{ "tool": "write_file", "do": "allow" }')
    }
  })

  it('leaves each comment with its rule', async () => {
    const text =
      '{ "policy": [\n  // first\n  { "tool": "a", "do": "deny" }, // of a\n  // second\n  { "do": "ask" } // of all\n] }'
    const line = '{ "tool": "write_file", "do": "allow" }'
    expect(await added(text, 0)).toBe(text.replace('[\n', `[\n  ${line},\n`))
    expect(await added(text, 1)).toBe(text.replace('// of a\n', `// of a\n  ${line},\n`))
    expect(await added(text, 2)).toBe(text.replace('} // of all', `}, // of all\n  ${line}`))
    expect(await added('{ "policy": [{ "do": "ask" }] }', 0)).toBe(`{ "policy": [${line}, { "do": "ask" }] }`)
    expect(await added('{ "policy": [{ "do": "ask" }] }', 1)).toBe(`{ "policy": [{ "do": "ask" }, ${line}] }`)
    expect(await added('{ "policy": [{ "do": "ask" }, ] }', 1)).toBe(`{ "policy": [{ "do": "ask" }, ${line}, ] }`)
  })

  it('makes a missing file, keeps permissions and links, and leaves nothing behind', async () => {
    const at = folder()
    const real = join(at, 'real.jsonc')
    const link = join(at, 'device.jsonc')
    await addRule(real, { rule, at: 0 }, [])
    expect(statSync(real).mode & 0o777).toBe(0o600)
    chmodSync(real, 0o640)
    symlinkSync('real.jsonc', link)
    await addRule(link, { rule, at: 0 }, [rule])
    expect((await loadDeviceConfig(real)).policy.rules).toEqual([rule, rule])
    expect(statSync(real).mode & 0o777).toBe(0o640)
    expect(readdirSync(at).toSorted()).toEqual(['device.jsonc', 'real.jsonc'])
  })

  it('changes nothing in a file that is invalid or has other rules by now', async () => {
    const file = join(folder(), 'device.jsonc')
    for (const text of ['{ "policy": ', '{ "polcy": [] }', '{ "policy": [{ "do": "deny" }] }']) {
      writeFileSync(file, text)
      await expect(addRule(file, { rule, at: 0 }, [])).rejects.toMatchObject({ code: 'RULE_NOT_ADDED' })
      expect(readFileSync(file, 'utf8')).toBe(text)
    }
  })
})
