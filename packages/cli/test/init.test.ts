import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_DEVICE_CONFIG, loadDeviceConfig, parseDeviceConfig } from '@orrery/device'
import { expect, it, vi } from 'vitest'
import { onTerminal } from './support/captured-terminal.js'

it('`orrery init` writes a configuration that changes nothing, with its schema, and keeps one that exists', async () => {
  const home = mkdtempSync(join(tmpdir(), 'orrery-init-'))
  try {
    vi.stubEnv('ORRERY_HOME', home)
    const path = join(home, 'device.jsonc')
    expect(await onTerminal('init')).toMatchObject({ code: 0, written: expect.stringContaining(`Wrote ${path}\n`) as unknown })
    expect(await loadDeviceConfig(path)).toEqual({ ...DEFAULT_DEVICE_CONFIG, $schema: './device.schema.json' })
    expect(JSON.parse(readFileSync(join(home, 'device.schema.json'), 'utf8'))).toHaveProperty('properties.shell')
    // What is a comment there is right too: each line counts once its marks are gone.
    const used = readFileSync(path, 'utf8').replaceAll(/^ {2}\/\/ (?=["\]} ])/gm, '  ')
    vi.stubEnv('ORRERY_DEVICE_KEY', 'k')
    vi.stubEnv('TICKETS_KEY', 'k')
    expect(() => parseDeviceConfig(used, path, { ...process.env })).not.toThrow()
    vi.stubEnv('ORRERY_HOME', home)
    expect(await onTerminal('init')).toMatchObject({ code: 1, written: expect.stringContaining('is kept') as unknown })
  } finally {
    vi.unstubAllEnvs()
    rmSync(home, { recursive: true })
  }
})
