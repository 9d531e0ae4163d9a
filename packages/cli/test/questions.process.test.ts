import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasPrograms } from '../../../test/support/has-programs.js'
import { OrreryHome, type OrreryProcess } from '../../../test/support/orrery-process.js'

/** The prompt of a question. */
const PROMPT = /Allow this call\? \[y\]es  \[n\]o  \[a\]lways /

/** A folder that the devices share; their home is closed to tools. */
let shared: string

/** `orrery up` in a terminal, ready. */
async function upInTerminal(home: OrreryHome): Promise<OrreryProcess> {
  writeFileSync(join(home.path, 'device.jsonc'), JSON.stringify({ roots: [shared] }))
  const up = home.startInTerminal('up', '--port', '0')
  await up.said(/Sessions appear below/)
  return up
}

/** What the audit says of the calls so far. */
async function decisions(home: OrreryHome): Promise<string[]> {
  const { stdout } = await home.run('audit', '--json')
  return stdout.split('\n').flatMap((line) => {
    if (line === '') return []
    const { decision, by } = JSON.parse(line) as { decision: string; by: string }
    return by === 'policy' ? [] : [`${decision} by ${by}`]
  })
}

const write = (name: string, content = 'x'): string[] => [
  'call',
  'write_file',
  JSON.stringify({ path: join(shared, name), content }),
]

describe.skipIf(!hasPrograms('script', 'stty'))('a question at the terminal of a device', () => {
  beforeAll(() => {
    shared = mkdtempSync(join(tmpdir(), 'orrery-shared-'))
  })
  afterAll(() => rmSync(shared, { recursive: true }))

  it('is not answered by what was typed before it: neither lines nor the beginning of one', async () => {
    await using home = new OrreryHome()
    const up = await upInTerminal(home)
    up.type('y\ny\nyes\ny')
    // What is typed is echoed, so the terminal has it.
    await up.said(/y\s+y\s+yes\s+y/)
    const call = home.start(...write('early.txt'))
    await up.said(PROMPT)
    up.type('\r')
    expect((await call.ended).stderr).toContain('Denied at the terminal of')
    expect(existsSync(join(shared, 'early.txt'))).toBe(false)
    await expect.poll(() => decisions(home), { timeout: 30_000 }).toEqual(['deny by terminal'])
  })

  it('is answered by what is typed after it, each question by its own answer', async () => {
    await using home = new OrreryHome()
    const up = await upInTerminal(home)
    const first = home.start(...write('first.txt'))
    await up.said(PROMPT)
    up.type('y\ry\r')
    expect((await first.ended).code).toBe(0)
    expect(existsSync(join(shared, 'first.txt'))).toBe(true)
    const second = home.start(...write('second.txt'))
    await up.said(/Question 2[\s\S]*Allow this call\? \[y\]es  \[n\]o  \[a\]lways /)
    up.type('n\r')
    expect((await second.ended).stderr).toContain('Denied at the terminal of')
  })

  it('shows the whole call, page by page, without what could hide in it', async () => {
    await using home = new OrreryHome()
    const up = await upInTerminal(home)
    const call = home.start(...write('long.txt', `\u001B[8m${'a'.repeat(3300)}\u202Etail`))
    const first = await up.said(/Question 1, page 1 of 3[\s\S]*Enter shows the next page, n denies: /)
    expect(first[0].replaceAll(/\s+/g, '')).toContain(String.raw`"content":"\u001b[8maaaa`)
    up.type('\r')
    await up.said(/page 2 of 3[\s\S]*n denies: /)
    up.type('\r')
    const last = await up.said(/page 3 of 3[\s\S]*Allow this call\? \[y\]es  \[n\]o  \[a\]lways /)
    expect(last[0].replaceAll(/\s+/g, '')).toContain(String.raw`a\u202etail`)
    up.type('y\r')
    expect((await call.ended).code).toBe(0)
    expect(readFileSync(join(shared, 'long.txt'), 'utf8')).toContain('\u202Etail')
  })

  it('allows always by a rule that it shows, confirms and writes; the rule decides from then on', async () => {
    await using home = new OrreryHome()
    const file = join(home.path, 'device.jsonc')
    writeFileSync(
      file,
      `{\n  // mine\n  "roots": [${JSON.stringify(shared)}], // shared\n  "policy": [\n    { "tool": "delete_*", "do": "deny" } // never\n  ]\n}\n`,
    )
    const up = home.startInTerminal('up', '--port', '0')
    await up.said(/Sessions appear below/)
    const first = home.start(...write('always.txt'))
    const question = await up.said(PROMPT)
    expect(question.input).toMatch(/Asked by operator/)
    up.type('a\r')
    await up.said(/This rule is added to \S*device\.jsonc[\s\S]*"tool": "write_file"[\s\S]*Add it\? \[y\/N\] /)
    up.type('y\r')
    expect((await first.ended).code).toBe(0)
    const rule = `{ "tool": "write_file", "path": ${JSON.stringify(realpathSync(join(shared, 'always.txt')))}, "do": "allow" }`
    expect(readFileSync(file, 'utf8').replaceAll(/\s+/g, ' ')).toBe(
      `{ // mine "roots": [${JSON.stringify(shared)}], // shared "policy": [ { "tool": "delete_*", "do": "deny" }, // never ${rule} ] } `,
    )
    await expect
      .poll(async () => (await home.run('call', '--no-wait', ...write('always.txt', 'y').slice(1))).code, { timeout: 30_000 })
      .toBe(0)
  })

  it('asks again if the rule is not confirmed, and says what to add after a denial', async () => {
    await using home = new OrreryHome()
    const up = await upInTerminal(home)
    const before = readFileSync(join(home.path, 'device.jsonc'), 'utf8')
    const call = home.start(...write('never.txt'))
    await up.said(PROMPT)
    up.type('a\r')
    await up.said(/Add it\? \[y\/N\] /)
    up.type('\r')
    await up.said(/Add it\?[\s\S]*Allow this call\? /)
    up.type('n\r')
    expect((await call.ended).code).not.toBe(0)
    await up.said(/To allow it always, add \{ "tool": "write_file"[\s\S]*device\.jsonc/)
    expect(readFileSync(join(home.path, 'device.jsonc'), 'utf8')).toBe(before)
  })

  it('allows once, and says why, if the rule cannot be written', async () => {
    await using home = new OrreryHome()
    const up = await upInTerminal(home)
    writeFileSync(join(home.path, 'device.jsonc'), '{ broken')
    const call = home.start(...write('once.txt'))
    await up.said(PROMPT)
    up.type('a\r')
    await up.said(/Add it\? \[y\/N\] /)
    up.type('y\r')
    await up.said(/The rule is not in [\s\S]*allowed once/)
    expect((await call.ended).code).toBe(0)
    expect(readFileSync(join(home.path, 'device.jsonc'), 'utf8')).toBe('{ broken')
  })

  it('is alone on the screen: other lines come after its answer', async () => {
    await using home = new OrreryHome()
    const up = await upInTerminal(home)
    const call = home.start(...write('alone.txt'))
    await up.said(PROMPT)
    expect((await home.run('call', 'get_system_info', '--concurrent')).code).toBe(0)
    const { stdout } = await shownBy(up, 'n\r', call)
    const question = stdout.slice(stdout.search(PROMPT))
    // The cursor is placed after the prompt, and what is typed follows.
    expect(question).toMatch(/^Allow this call\? \[y\]es  \[n\]o  \[a\]lways \S*n\s/)
    expect(question).toContain('get_system_info')
  })
})

/** Answers a question, waits for the call, and ends the device. */
async function shownBy(up: OrreryProcess, answer: string, call: OrreryProcess): Promise<{ stdout: string }> {
  up.type(answer)
  await call.ended
  up.type('\u0003')
  return up.ended
}
