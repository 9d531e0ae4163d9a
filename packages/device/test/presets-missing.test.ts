import { silentLogger, systemClock } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { DeviceConfig } from '../src/index.js'
import { presetProgram } from '../src/mcp/presets/presets.js'
import { ALLOW_ALL, onlyTools } from './support/config.js'
import { toolCaller } from './support/tool-caller.js'

describe('presets', () => {
  it('say what is missing, by name, and how to install it', async () => {
    const config = DeviceConfig.parse({ tools: onlyTools(), presets: ['browser'], policy: ALLOW_ALL })
    await using tools = await toolCaller({ config, env: { PATH: '/no/such/folder' } })
    if (process.platform === 'linux')
      expect(await tools.error('browser_navigate', { url: 'x' })).toMatch(
        /'browser' is not running: .*no Chromium.*apt-get install chromium/,
      )
    const context = { clock: systemClock, logger: silentLogger, env: { PATH: '' }, cwd: '/', dataDir: '/tmp' }
    await expect(presetProgram('android', context)).rejects.toMatchObject({
      code: 'PRESET_UNAVAILABLE',
      message: expect.stringContaining('npm install @mobilenext/mobile-mcp') as unknown,
    })
  })
})
