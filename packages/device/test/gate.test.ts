import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { errorText } from '@orrery/aip'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { AuditLog, DeviceConfig, type Ask, type AuditEntry, type DeviceOptions } from '../src/index.js'
import { argumentsHash } from '../src/policy/arguments-hash.js'
import { onlyTools } from './support/config.js'
import { RecordingLogger } from './support/recording-logger.js'
import { online } from './support/running-device.js'
import { temporaryFolders } from './support/temporary.js'
import { toolCaller } from './support/tool-caller.js'

const folder = temporaryFolders()
const posix = process.platform !== 'win32'

/** A device with its files and the strict shell, and a policy. */
function options(policy: unknown, more: Partial<DeviceOptions> = {}): Partial<DeviceOptions> & { cwd: string } {
  const cwd = folder()
  const config = DeviceConfig.parse({ tools: onlyTools('BashExecutor', 'files', 'shell'), policy })
  return { cwd, config, auditPath: join(cwd, 'audit', 'audit.jsonl'), ...more }
}

function entries(path: string | undefined): AuditEntry[] {
  return readFileSync(path ?? '', 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEntry)
}

const WRITE = { path: 'a.txt', content: 'x' }

describe.runIf(posix)('the gate of a device', () => {
  it('denies at once if approval cannot be asked for, and says what would allow it', async () => {
    const at = options([])
    await using tools = await toolCaller(at)
    const error = await tools.error('write_file', WRITE)
    expect(error).toMatch(
      /^Denied by the device's policy \(rule: default\): .*\{"tool":"write_file","do":"allow"\}.*Approval could not be asked for$/,
    )
    expect(existsSync(join(at.cwd, 'a.txt'))).toBe(false)
  })

  it('asks at the terminal, and runs exactly what was allowed', async () => {
    const asked: Ask[] = []
    const approver = (ask: Ask) => {
      asked.push(ask)
      return Promise.resolve(asked.length === 1 ? ('allow' as const) : ('deny' as const))
    }
    const at = options([], { approver })
    await using tools = await toolCaller(at)
    await tools.value('write_file', WRITE)
    expect(readFileSync(join(at.cwd, 'a.txt'), 'utf8')).toBe('x')
    expect(await tools.error('write_file', { ...WRITE, content: 'y' })).toBe(
      errorText('APPROVAL_DENIED', { rule: 'default', place: 'at the terminal of lab-1' }),
    )
    expect(asked[0]).toMatchObject({ tool: 'write_file', argumentsHash: argumentsHash(WRITE) })
    expect(asked[0]?.summary).toContain('a.txt')
    expect(asked[0]?.askId).not.toBe(asked[1]?.askId)
  })

  it('denies without an answer in time', async () => {
    const clock = new ManualClock()
    const at = options({ ask_timeout_s: 7 }, { clock, approver: () => new Promise(() => {}) })
    await using tools = await toolCaller(at)
    const error = tools.error('write_file', WRITE)
    await vi.waitFor(() => expect(clock.waits).toContain(7000))
    await clock.advance(7000)
    expect(await error).toContain('no answer in time')
  })

  it('runs a command that is not on the list of the strict shell once a rule or a user allows it', async () => {
    const at = options([{ argv: ['touch', 'allowed'], do: 'allow' }], { approver: () => Promise.resolve('allow') })
    await using tools = await toolCaller(at)
    await tools.value('execute_command', { command: 'touch allowed' })
    await tools.value('execute_command', { command: 'touch asked' })
    expect(existsSync(join(at.cwd, 'allowed')) && existsSync(join(at.cwd, 'asked'))).toBe(true)
    const denied = options([{ argv: ['touch', 'allowed'], do: 'allow' }])
    await using strict = await toolCaller(denied)
    expect(await strict.error('execute_command', { command: 'touch other' })).toContain('(rule: shell.allow-list)')
    expect(await strict.error('execute_command', { command: 'touch allowed; touch other' })).toContain('(rule: shell.operators)')
  })

  it('writes into the audit what ran, what did not, and why', async () => {
    const at = options([{ tool: 'delete_file', do: 'deny' }])
    {
      await using tools = await toolCaller(at)
      await tools.value('list_files')
      await tools.error('delete_file', { path: 'a' })
      await tools.error('read_file', { path: 'nothing' })
    }
    expect(entries(at.auditPath)).toMatchObject([
      {
        tool: 'files/list_files',
        program: null,
        decision: 'allow',
        rule: 'read-only',
        by: 'policy',
        outcome: 'success',
        error: null,
      },
      { tool: 'files/delete_file', decision: 'deny', rule: 'policy.rules[0]', by: 'policy', outcome: 'failure' },
      { tool: 'files/read_file', decision: 'allow', outcome: 'failure', arguments_hash: argumentsHash({ path: 'nothing' }) },
    ])
    expect(readFileSync(at.auditPath ?? '', 'utf8')).not.toContain('nothing"')
  })

  it('names the program of a command in the audit, and no more of it', async () => {
    const at = options([])
    {
      await using tools = await toolCaller(at)
      await tools.value('execute_command', { command: 'echo hidden' })
      await tools.error('run_command', { program: '/tmp/tool', args: ['hidden'] })
    }
    expect(entries(at.auditPath)).toMatchObject([
      { program: 'echo', decision: 'allow' },
      { program: 'tool', decision: 'deny' },
    ])
    expect(readFileSync(at.auditPath ?? '', 'utf8')).not.toContain('hidden')
  })

  it('suggests the rule that would allow a command, and a tool that may be meant', async () => {
    await using tools = await toolCaller(options([]))
    expect(await tools.error('execute_command', { command: 'rm -rf x' })).toBe(
      `Denied by the device's policy (rule: shell.allow-list): 'rm' is not a program of the strict shell; to allow it always, add {"argv":["rm","**"],"do":"allow"} to "policy" in device.jsonc. Approval could not be asked for`,
    )
    expect(await tools.error('raed_file')).toMatch(/^Tool action::raed_file is not registered .*; did you mean 'read_file'\?$/)
  })

  it('keeps the arguments in the audit only where the owner says so', async () => {
    const at = options([])
    const config = DeviceConfig.parse({ tools: onlyTools('files'), audit: { contents: true } })
    {
      await using tools = await toolCaller({ ...at, config })
      await tools.value('list_files', { path: '.' })
    }
    expect(entries(at.auditPath)).toMatchObject([{ arguments: { path: '.' } }])
  })
})

describe.runIf(posix)('an ask through the server', () => {
  const RESUMING = { aip: { version: 1, features: ['cancel', 'progress', 'ask'] } }

  it('goes out only if the owner lets operators answer', async () => {
    await using closed = await online(options([]))
    expect(JSON.stringify(closed.registration)).not.toContain('"ask"')
    await using open = await online(options({ approvers: ['server'] }))
    expect(JSON.stringify(open.registration)).toContain('"ask"')
  })

  it('is answered once, for that call alone', async () => {
    const at = options({ approvers: ['server'] })
    await using running = await online(at, RESUMING)
    const { connection } = running
    connection.send('command', {
      actions: [{ tool_name: 'write_file', parameters: WRITE, tool_type: null, call_id: 'c1' }],
      session_id: 's1',
      response_id: 'r1',
    })
    const ask = await connection.next('ask')
    expect(ask).toMatchObject({ session_id: 's1', call_id: 'c1', tool: 'write_file', arguments_hash: argumentsHash(WRITE) })
    connection.send('answer', { ask_id: 'another', decision: 'allow', by: 'x' })
    connection.send('answer', { ask_id: ask['ask_id'], decision: 'allow', by: 'operator' })
    expect(await connection.next('command_results')).toMatchObject({ action_results: [{ status: 'success' }] })
    await running.device.stop()
    expect(entries(at.auditPath)).toMatchObject([{ by: 'server: operator', decision: 'allow', session_id: 's1', call_id: 'c1' }])
  })

  it('is not taken from a server that the owner has not named', async () => {
    const clock = new ManualClock()
    const asked = Promise.withResolvers<Ask>()
    const approver = (ask: Ask): Promise<null> => {
      asked.resolve(ask)
      return new Promise(() => {})
    }
    await using running = await online(options({ approvers: ['terminal'] }, { clock, approver }), RESUMING)
    const { connection, logger } = running
    connection.send('command', {
      actions: [{ tool_name: 'write_file', parameters: WRITE, tool_type: null, call_id: 'c1' }],
      session_id: 's1',
      response_id: 'r1',
    })
    const { askId } = await asked.promise
    connection.send('answer', { ask_id: askId, decision: 'allow', by: 'operator' })
    await logger.until('was ignored')
    await clock.advance(120_000)
    expect(await connection.next('command_results')).toMatchObject({ action_results: [{ status: 'failure' }] })
  })
})

describe('the audit file', () => {
  const entry = (tool: string): AuditEntry => ({
    time: '2026-01-01T00:00:00.000Z',
    session_id: null,
    call_id: null,
    agent: null,
    tool,
    arguments_hash: '',
    decision: 'allow',
    rule: 'read-only',
    by: 'policy',
    outcome: 'success',
    error: null,
    duration_ms: 1,
  })

  it('is put aside at its size, and the oldest ones go', async () => {
    const path = join(folder(), 'audit.jsonl')
    const audit = new AuditLog({ path, maxBytes: 300, keep: 2, logger: new RecordingLogger() })
    for (let at = 0; at < 10; at += 1) {
      audit.add(entry(`t${at}`))
      await audit.close()
    }
    const tools = [path, `${path}.1`, `${path}.2`].map((file) => entries(file).map(({ tool }) => tool))
    expect(tools).toEqual([
      ['t8', 't9'],
      ['t6', 't7'],
      ['t4', 't5'],
    ])
    expect(existsSync(`${path}.3`)).toBe(false)
  })

  it('that cannot be written is reported, and stops nothing', async () => {
    const logger = new RecordingLogger()
    const audit = new AuditLog({ path: join(process.execPath, 'audit.jsonl'), maxBytes: 300, keep: 2, logger })
    audit.add(entry('t'))
    await audit.close()
    expect(logger.lines[0]).toContain('cannot be written')
  })
})
