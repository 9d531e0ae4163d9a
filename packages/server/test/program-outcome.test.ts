import { Result } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { programFailure } from '../src/agents/program-outcome.js'

const of = (result: unknown, more: object = {}): string | null =>
  programFailure(Result.parse({ status: 'success', result, ...more }))

describe('whether a program failed that a result is about', () => {
  it.each<[string, unknown, string]>([
    ['an exit code', { success: false, exit_code: 2, stdout: '', stderr: 'no such file' }, 'the program ended with exit code 2'],
    ['another name of it', { returncode: -1 }, 'the program ended with exit code -1'],
    ['JSON as a text', '{"exit_code": 3}', 'the program ended with exit code 3'],
    ['JSON as a text of MCP', [{ type: 'text', text: '{"exitCode": 4}' }], 'the program ended with exit code 4'],
    ['a signal', { exit_code: null, signal: 'SIGKILL' }, 'the program was ended by SIGKILL'],
    ['a timeout', { exit_code: null, ended: 'timeout', stdout: '' }, 'the program was ended by its timeout'],
    ['a cancellation', { exit_code: null, ended: 'cancelled' }, 'the program was cancelled'],
    ['no code, and why', { success: false, exit_code: null, error: 'Timeout after 30s.' }, 'Timeout after 30s.'],
    ['a refusal of an existing device', { success: false, error: 'Blocked dangerous command.' }, 'Blocked dangerous command.'],
  ])('%s', (_case, result, reason) => expect(of(result)).toBe(reason))

  it.each<[string, unknown]>([
    ['a program that ended well', { exit_code: 0, stdout: 'x' }],
    ['a job that is only looked at', { job_id: 'j1', state: 'ended', exit_code: 1, signal: null }],
    ['the output of a job', { content: '', running: false, exit_code: 1 }],
    ['a text that only mentions one', 'exit_code 1'],
    ['JSON that is cut', '{"exit_code": 1'],
    ['several items', [{ type: 'text', text: '{"exit_code": 1}' }, { type: 'image' }]],
    ['a list', [[1]]],
    ['nothing', null],
  ])('no failure is %s', (_case, result) => expect(of(result)).toBeNull())

  it('keeps the reason of a device that reports the failure itself', () => {
    const failed = { status: 'failure', error: 'exit code 1 (no match)' }
    expect(of({ exit_code: 1 }, failed)).toBe('exit code 1 (no match)')
    expect(of(null, failed)).toBeNull()
    expect(of({ exit_code: 1 }, { status: 'skipped' })).toBeNull()
  })
})
