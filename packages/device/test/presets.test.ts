import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { silentLogger, systemClock } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { systemPrograms } from '../../../test/support/system-programs.js'
import { DeviceConfig } from '../src/index.js'
import { presetProgram } from '../src/presets/presets.js'
import { ALLOW_ALL, onlyTools } from './support/config.js'
import { temporaryFolders } from './support/temporary.js'
import { toolCaller } from './support/tool-caller.js'

const folder = temporaryFolders()
const ready = process.platform === 'linux' && systemPrograms({ chromium: 'chromium' })
const PAGE = `<!doctype html><title>Lamp</title><h1 id="state">off</h1>
<button onclick="document.querySelector('#state').textContent = 'on'; fetch('/switched')">Switch</button>`

/** The tool's text, whichever way it comes. */
function textOf(result: unknown): string {
  return typeof result === 'string' ? result : JSON.stringify(result)
}

describe('presets', () => {
  it.runIf(ready)(
    'browser: opens a local page in the Chromium of the system, and clicks in it',
    { timeout: 90_000 },
    async () => {
      const asked: string[] = []
      const dataDir = folder()
      const web = createServer((request, response) => {
        asked.push(request.url ?? '')
        response.setHeader('content-type', 'text/html')
        response.end(PAGE)
      }).listen(0, '127.0.0.1')
      await once(web, 'listening')
      try {
        const cwd = folder()
        const { DISPLAY: _, ...env } = process.env
        const config = DeviceConfig.parse({ tools: onlyTools(), presets: ['browser'], policy: ALLOW_ALL })
        await using tools = await toolCaller({ cwd, dataDir, env, config })
        const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/`
        await tools.value('browser_navigate', { url })
        const page = textOf(await tools.value('browser_snapshot'))
        expect(page).toMatch(/Lamp[\s\S]*off/)
        const ref = /button "?Switch"?[^\n]*?\[ref=(\w+)\]/.exec(page)?.[1]
        expect(ref, page).toBeDefined()
        await tools.value('browser_click', { element: 'Switch', target: ref, ref })
        await expect.poll(() => asked).toContain('/switched')
        expect(textOf(await tools.value('browser_snapshot'))).toMatch(/heading "on"/)
        expect(textOf(await tools.value('browser_take_screenshot', { scale: 'css' }))).toContain('"type":"image"')
        // What it calls "RCE-equivalent" itself is not passed on.
        expect(await tools.error('browser_run_code_unsafe', { code: '() => 1' })).toContain('is not registered')
        // Nothing is written into the folder of the owner.
        expect(readdirSync(cwd)).toEqual([])
      } finally {
        web.closeAllConnections()
        web.close()
      }
    },
  )

  it('say what is missing, by name, and how to install it', async () => {
    const config = DeviceConfig.parse({ tools: onlyTools(), presets: ['browser'], policy: ALLOW_ALL })
    await using tools = await toolCaller({ config, env: { PATH: '/no/such/folder' } })
    if (process.platform === 'linux')
      expect(await tools.error('browser_navigate', { url: 'x' })).toMatch(
        /'browser' is not running: .*no Chromium.*apt-get install chromium/,
      )
    const context = { clock: systemClock, logger: silentLogger, env: { PATH: '' }, cwd: '/', dataDir: '/tmp' }
    for (const name of ['chrome-devtools', 'android'] as const)
      await expect(presetProgram(name, context)).rejects.toMatchObject({
        code: 'PRESET_UNAVAILABLE',
        message: expect.stringMatching(/npm install (chrome-devtools-mcp|@mobilenext\/mobile-mcp)/) as unknown,
      })
  })
})
