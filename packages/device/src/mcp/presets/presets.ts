import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, type Logger } from '@orrery/aip'
import type { PresetName } from '../../config/preset-names.js'
import type { Connector } from '../connection.js'
import { stdioConnector, type Program } from '../stdio-connector.js'
import type { Environment } from '../../process/child-environment.js'
import { findProgram } from '../../process/find-program.js'
import { hasDisplay } from '../../tools/desktop/x11.js'
import { findBrowser } from './find-browser.js'
import { findPackageProgram } from './find-package.js'
import { deviceError } from '../../errors.js'

/** What a preset gets of the device. */
export interface PresetContext {
  clock: Clock
  logger: Logger
  env: Environment
  cwd: string
  /** A folder for what it writes. */
  dataDir: string
}

interface Preset {
  /** The npm package, and its program. */
  package: string
  program: string
  /** Tools that would go round the policy of the device. */
  hiddenTools?: readonly string[]
  /** What it is started with. @throws AipError `PRESET_UNAVAILABLE` */
  start(context: PresetContext): Promise<{ args: string[]; env: Record<string, string> }>
}

const PRESETS: Readonly<Record<PresetName, Preset>> = {
  browser: {
    package: '@playwright/mcp',
    program: 'playwright-mcp',
    // Its own words: "executes arbitrary JavaScript in the Playwright server process and is RCE-equivalent".
    hiddenTools: ['browser_run_code_unsafe'],
    async start(context) {
      const args = [
        '--executable-path',
        await browserFor('browser', context),
        '--isolated',
        '--output-dir',
        outputFolder('browser', context),
      ]
      // Otherwise every answer leaves a file with the page that cannot be read from here; browser_snapshot returns it when it is wanted.
      args.push('--snapshot-mode', 'none')
      if (!isSeen(context.env)) args.push('--headless')
      if (isRoot()) args.push('--no-sandbox')
      // Also when it is asked to: what a browser of its own would be is not what the owner has installed.
      return { args, env: { ...screenOf(context.env), PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' } }
    },
  },
  'chrome-devtools': {
    package: 'chrome-devtools-mcp',
    program: 'chrome-devtools-mcp',
    async start(context) {
      const args = ['--executablePath', await browserFor('chrome-devtools', context), '--isolated']
      // Neither what the owner does nor the addresses of pages go to others.
      args.push('--no-usageStatistics', '--no-performanceCrux')
      // Files are for the tools that keep to the roots of the device.
      args.push('--no-fileNavigations')
      if (!isSeen(context.env)) args.push('--headless')
      if (isRoot()) args.push('--chromeArg=--no-sandbox')
      return { args, env: screenOf(context.env) }
    },
  },
  android: {
    package: '@mobilenext/mobile-mcp',
    program: 'mcp-server-mobile',
    async start({ env }) {
      if ((await findProgram('adb', env)) === null) {
        const detail = "the program 'adb' is missing (Debian: apt-get install adb)"
        throw deviceError('PRESET_UNAVAILABLE', { preset: 'android', detail })
      }
      return { args: [], env: { MOBILEMCP_DISABLE_TELEMETRY: '1' } }
    },
  },
}

/** Connects to the server of a preset. What is missing is looked for at each start, so it may be installed while the device runs. */
export function presetConnector(name: PresetName, context: PresetContext): Connector {
  return async (options) => {
    const connection = await stdioConnector(name, await presetProgram(name, context), context)(options)
    void connection.closed.then(() => rm(outputFolder(name, context), { recursive: true, force: true }))
    return connection
  }
}

/** The tools of a preset that are not passed on. */
export function hiddenToolsOf(name: PresetName): readonly string[] {
  return PRESETS[name].hiddenTools ?? []
}

/**
 * How the server of a preset is started. Nothing is downloaded.
 * @throws AipError `PRESET_UNAVAILABLE` with what to install
 */
export async function presetProgram(name: PresetName, context: PresetContext): Promise<Program> {
  const preset = PRESETS[name]
  const found = await findPackageProgram(preset.package, preset.program, context.env)
  if (found === null) {
    const detail = `the package ${preset.package} is missing: npm install ${preset.package}, or npm install -g ${preset.package}`
    throw deviceError('PRESET_UNAVAILABLE', { preset: name, detail })
  }
  const { args, env } = await preset.start(context)
  return { command: found.command, args: [...found.args, ...args], env }
}

/** Pictures and downloads of a preset; gone when it ends. */
function outputFolder(name: PresetName, { dataDir }: PresetContext): string {
  return join(dataDir, `orrery-${name}-${process.pid}`)
}

async function browserFor(preset: PresetName, { env }: PresetContext): Promise<string> {
  const browser = await findBrowser(env)
  if (browser !== null) return browser
  const detail = 'there is no Chromium, Chrome or Edge (Debian: apt-get install chromium)'
  throw deviceError('PRESET_UNAVAILABLE', { preset, detail })
}

/** Returns whether a window could be seen. */
function isSeen(env: Environment): boolean {
  return process.platform !== 'linux' || hasDisplay(env)
}

/** Chromium does not start as root with its sandbox. */
function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** What a program needs to open a window, beyond `DISPLAY`. */
function screenOf(env: Environment): Record<string, string> {
  const authority = env['XAUTHORITY']
  return authority === undefined ? {} : { XAUTHORITY: authority }
}
