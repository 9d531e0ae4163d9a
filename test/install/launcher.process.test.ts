import { spawn } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'

const LAUNCHER = fileURLToPath(new URL('../../scripts/launch.mjs', import.meta.url))
/** An npm that never ends installing, in a child of its own, and does not end by SIGINT. */
const NPM = `#!/bin/sh
trap '' INT
sleep 600 &
echo $! > "$PIDS.part" && mv "$PIDS.part" "$PIDS"
wait`

/** Settles once a file is there. */
async function appears(path: string): Promise<void> {
  const watcher = watch(join(path, '..'))
  try {
    while (!existsSync(path)) await new Promise((resolve) => watcher.once('change', resolve))
  } finally {
    watcher.close()
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

describe.runIf(process.platform === 'linux')('the launcher', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends the installation that %s interrupts, with all that it has started', async (signal, code) => {
    const folder = mkdtempSync(join(tmpdir(), 'orrery-launcher-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    mkdirSync(join(folder, 'scripts'))
    mkdirSync(join(folder, 'bin'))
    copyFileSync(LAUNCHER, join(folder, 'scripts/launch.mjs'))
    writeFileSync(join(folder, 'package-lock.json'), '{"packages":{}}')
    writeFileSync(join(folder, 'bin/npm'), NPM)
    chmodSync(join(folder, 'bin/npm'), 0o755)
    const pids = join(folder, 'pids')
    const launcher = spawn(process.execPath, [join(folder, 'scripts/launch.mjs'), 'orrery', 'demo'], {
      env: { PATH: join(folder, 'bin') + delimiter + process.env['PATH'], PIDS: pids },
    })
    let said = ''
    launcher.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const ended = new Promise<number | null>((resolve) => launcher.once('close', resolve))
    await appears(pids)
    const installing = Number(readFileSync(pids, 'utf8'))
    expect(lives(installing)).toBe(true)
    launcher.kill(signal)
    expect(await ended).toBe(code)
    await expect.poll(() => lives(installing)).toBe(false)
    expect(said).toContain('npm ci was interrupted; it starts over the next time')
  })
})
