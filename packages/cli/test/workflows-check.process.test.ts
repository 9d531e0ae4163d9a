import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const MAIN = fileURLToPath(new URL('../bin/orrery.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'orrery-check-'))

afterAll(() => rmSync(folder, { recursive: true }))

function check(...files: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: '1', HOME: folder }
    execFile(process.execPath, [MAIN, 'workflows', 'check', ...files], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    )
  })
}

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return name
}

describe('orrery workflows check', () => {
  it('says ok of a file without mistakes', async () => {
    const good = write('good.yaml', 'steps:\n  - run: uptime\n    if: "!cancelled()"\n')
    expect(await check(good)).toEqual({ code: 0, stdout: 'good.yaml: ok\n', stderr: '' })
  })

  it('prints every mistake of every file, one a line, and exits with 1', async () => {
    const good = write('good.yaml', 'steps: [{ run: uptime }]\n')
    const bad = write('bad.yaml', 'titel: x\nsteps:\n  - run: ls ${{ inputs.p }}\n    if: !cancelled()\n')
    const worse = write('worse.yaml', 'titel: x\nsteps:\n  - run: ls ${{ inputs.p }}\n  - { tool: x, if: nope() }\n')
    const { code, stdout, stderr } = await check(good, bad, worse)
    expect(code).toBe(1)
    expect(stdout.split('\n')).toEqual([
      'good.yaml: ok',
      expect.stringMatching(/^bad\.yaml:4:9: YAML takes '!cancelled\(\)' for a tag/),
      "worse.yaml:1:1: unknown key 'titel'",
      "worse.yaml:3:17: there is no input 'p'",
      expect.stringMatching(/^worse\.yaml:4:20: Unrecognized function: 'nope'; there are: always, cancelled, /),
      '',
    ])
    expect(stderr).toContain('2 workflows have mistakes')
  })

  it('checks the inputs of a called workflow beside the file', async () => {
    write('called.yaml', 'inputs: { a: {} }\nsteps: [{ run: "echo ${{ inputs.a }}" }]\n')
    const calls = write('calls.yaml', 'steps:\n  - uses: workflow:called\n    with: { b: 1 }\n')
    expect((await check(calls)).stdout.split('\n')).toEqual([
      "calls.yaml:2:11: workflow 'called' needs the input 'a'",
      "calls.yaml:3:13: workflow 'called' has no input 'b'",
      '',
    ])
  })

  it('says which file it cannot read, and exits with 2', async () => {
    expect(await check('nowhere.yaml')).toMatchObject({ code: 2, stderr: expect.stringContaining('nowhere.yaml') as unknown })
  })
})
