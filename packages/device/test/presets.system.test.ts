import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { systemPrograms } from '../../../test/support/system-programs.js'
import type { PresetName } from '../src/config/preset-names.js'
import { DeviceConfig } from '../src/index.js'
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

/** A page of this machine, and which addresses were asked for. */
async function localPage() {
  const asked: string[] = []
  const web = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.setHeader('content-type', 'text/html')
    response.end(PAGE)
  }).listen(0, '127.0.0.1')
  await once(web, 'listening')
  return {
    url: `http://127.0.0.1:${(web.address() as AddressInfo).port}/`,
    asked,
    [Symbol.dispose]() {
      web.closeAllConnections()
      web.close()
    },
  }
}

/** A device with one preset, which may do everything. */
async function deviceWith(preset: PresetName) {
  const cwd = folder()
  const { DISPLAY: _, ...env } = process.env
  const dataDir = folder()
  const config = DeviceConfig.parse({ tools: onlyTools(), presets: [preset], policy: ALLOW_ALL })
  return { cwd, dataDir, tools: await toolCaller({ cwd, dataDir, env, config }) }
}

describe('presets', () => {
  it.runIf(ready)(
    'browser: opens a local page in the Chromium of the system, and clicks in it',
    { timeout: 90_000 },
    async () => {
      using page = await localPage()
      const { cwd, dataDir, tools } = await deviceWith('browser')
      await tools.value('browser_navigate', { url: page.url })
      const shown = textOf(await tools.value('browser_snapshot'))
      expect(shown).toMatch(/Lamp[\s\S]*off/)
      const ref = /button "?Switch"?[^\n]*?\[ref=(\w+)\]/.exec(shown)?.[1]
      expect(ref, shown).toBeDefined()
      await tools.value('browser_click', { element: 'Switch', target: ref, ref })
      await expect.poll(() => page.asked).toContain('/switched')
      expect(textOf(await tools.value('browser_snapshot'))).toMatch(/heading "on"/)
      expect(textOf(await tools.value('browser_take_screenshot', { scale: 'css' }))).toContain('"type":"image"')
      // What it calls "RCE-equivalent" itself is not passed on.
      expect(await tools.error('browser_run_code_unsafe', { code: '() => 1' })).toContain('is not registered')
      // Nothing is written into the folder of the owner, and nothing is left elsewhere.
      const pictures = (): string[] =>
        readdirSync(dataDir, { recursive: true })
          .map(String)
          .filter((name) => name.endsWith('.png'))
      expect([readdirSync(cwd), pictures().length]).toEqual([[], 1])
      await tools[Symbol.asyncDispose]()
      await expect.poll(pictures).toEqual([])
    },
  )

  it.runIf(ready)(
    'chrome-devtools: opens a local page in the Chromium of the system, clicks in it, and sees what it asked for',
    { timeout: 90_000 },
    async () => {
      using page = await localPage()
      const { cwd, tools: caller } = await deviceWith('chrome-devtools')
      await using tools = caller
      const pageId = Number(/(\d+): about:blank/.exec(textOf(await tools.value('list_pages')))?.[1])
      await tools.value('navigate_page', { pageId, url: page.url })
      const shown = textOf(await tools.value('take_snapshot', { pageId }))
      const uid = /uid=(\w+) button "Switch"/.exec(shown)?.[1]
      expect(uid, shown).toBeDefined()
      await tools.value('click', { pageId, uid })
      await expect.poll(() => page.asked).toContain('/switched')
      expect(textOf(await tools.value('take_snapshot', { pageId }))).toMatch(/heading "on"/)
      expect(textOf(await tools.value('list_network_requests', { pageId }))).toContain('/switched')
      expect(textOf(await tools.value('take_screenshot', { pageId }))).toContain('"type":"image"')
      // Files are read by tools that keep to the roots.
      const refused = await tools.call('navigate_page', { pageId, url: 'file:///etc/passwd' })
      expect(`${refused.error} ${textOf(refused.result)}`).toMatch(/file: ?(URL|navigation)|disabled|not allowed/i)
      expect(readdirSync(cwd)).toEqual([])
    },
  )
})
