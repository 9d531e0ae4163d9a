import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OrreryApi } from '@orrery/constellation'
import { parseDeviceConfig } from '@orrery/device'
import { loadServerConfig, resolveModel } from '@orrery/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OrreryHome } from '../support/orrery-process.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')

/** The fenced blocks of the README in one language. */
function blocks(language: string): string[] {
  return [...README.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text]) => text ?? '')
}

/** Runs a shell line in the checkout, as the README's reader does. */
function shell(line: string, home: string): Promise<{ code: number | null; output: string }> {
  const child = spawn('bash', ['-c', line], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], HOME: home, ORRERY_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, output }))
  })
}

const STARTS_SERVER = /^npm start/
const commands = blocks('bash').flatMap((block) => block.trim().split('\n'))

describe('the README', () => {
  let home: OrreryHome
  let workflow: string
  let url: string
  beforeAll(async () => {
    home = new OrreryHome()
    workflow = join(home.path, 'room-left.yaml')
    writeFileSync(workflow, blocks('yaml')[0] ?? '')
    url = (await (await home.up()).said(/ready at (http:\S+)/))[1] ?? ''
  })
  afterAll(() => home[Symbol.asyncDispose]())

  it('has the two commands of the quick start, and the test command', () => {
    expect(commands).toEqual(expect.arrayContaining(['npm run demo', 'npm start']))
    expect(README).toContain('`npm test`')
  })

  it.each(commands.filter((command) => !STARTS_SERVER.test(command)))('%s works', async (command) => {
    const { code, output } = await shell(command.replace('room-left.yaml', workflow), home.path)
    expect(code, output).toBe(0)
  })

  it.each(commands.filter((command) => STARTS_SERVER.test(command)))(
    '%s starts a server, and Ctrl-C ends it',
    async (command) => {
      await using own = new OrreryHome()
      const port = command.includes(' -- ') ? ' --port 0' : ' -- --port 0'
      const child = spawn('bash', ['-c', `exec ${command}${port}`], {
        cwd: ROOT,
        detached: true,
        env: { PATH: process.env['PATH'], HOME: own.path, ORRERY_HOME: own.path },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let output = ''
      await new Promise<void>((resolve, reject) => {
        child.stdout.on('data', (chunk: Buffer) => {
          output += chunk.toString()
          if (output.includes('Ctrl-C stops it')) resolve()
        })
        child.once('exit', () => reject(new Error(`ended:\n${output}`)))
      })
      // What a terminal does on Ctrl-C: the signal goes to the whole process group.
      expect(existsSync(join(own.path, 'server.json'))).toBe(true)
      const closed = new Promise((resolve) => child.once('close', resolve))
      process.kill(-(child.pid ?? 0), 'SIGINT')
      // All processes of the group have ended once the pipe is closed; a server that ended cleanly has removed its file.
      await closed
      expect(existsSync(join(own.path, 'server.json'))).toBe(false)
    },
  )

  // The line for a machine without a clone is tried in test/install: it asks the registry.
  const joining = blocks('sh').flatMap((block) => block.split('\n').filter((line) => line.startsWith('npm run device')))
  it.each(joining)('%s connects, with address and key put in', async (command) => {
    const config = join(home.path, 'device.jsonc')
    writeFileSync(config, '{ "shell": "strict" }')
    const key = readFileSync(join(home.path, 'device.key'), 'utf8').trim()
    const line = command
      .replace('ws://192.168.1.10:5000/ws', `${url.replace('http', 'ws')}/ws`)
      .replace('KEY', key)
      .replace('device.jsonc', config)
    expect(line).not.toBe(command)
    const child = spawn('bash', ['-c', `exec ${line} --client-id second-machine`], {
      cwd: ROOT,
      detached: true,
      env: { PATH: process.env['PATH'], HOME: home.path, ORRERY_HOME: home.path },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
      child.stdout.on('data', () => {
        if (output.includes('second-machine is connected')) resolve()
      })
      child.once('exit', () => reject(new Error(`ended:\n${output}`)))
    })
    const closed = new Promise((resolve) => child.once('close', resolve))
    process.kill(-(child.pid ?? 0), 'SIGTERM')
    await closed
  })

  it.each(blocks('jsonc'))('its device configuration is a good one: %#', (text) => {
    expect(Object.keys(parseDeviceConfig(text, 'README.md', { TICKETS_KEY: 'key' }).mcpServers)).toEqual(['data', 'tickets'])
  })

  const models = blocks('shell').flatMap((block) => block.split('\n').filter((line) => line.startsWith('ORRERY_MODEL')))
  it.each(models)('%s names a model', (line) => {
    const variables = [...line.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value])
    expect(resolveModel(Object.fromEntries(variables))?.main.model).toBeTruthy()
  })

  it('and the page about models has a good configuration, and a plan', async () => {
    const page = readFileSync(join(ROOT, 'docs/models.md'), 'utf8')
    const [config = '', plan = ''] = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text]) => text ?? '')
    const file = join(home.path, 'server.yaml')
    writeFileSync(file, config)
    expect(resolveModel({ OPENAI_API_KEY: 'k' }, loadServerConfig(file).model)).toMatchObject({
      fallback: { provider: 'ollama' },
    })
    writeFileSync(file, plan)
    // Without a model it is known as work for one, and not as a bad workflow.
    const { output } = await shell(`./orrery run --workflow ${file}`, home.path)
    expect(output).toContain('No model is configured')
  })

  it.each(blocks('js'))('its code runs: %#', async (code) => {
    const file = join(ROOT, 'node_modules', `readme-${process.pid}.mjs`)
    const key = readFileSync(join(home.path, 'operator.key'), 'utf8').trim()
    // The one device that is connected has the name of this machine.
    const device = (await new OrreryApi({ server: url, apiKey: key }).devices.list()).find(({ status }) => status === 'online')
    const ours = code.replace('http://127.0.0.1:5000', url).replace('ws://127.0.0.1:5000', url.replace('http', 'ws'))
    writeFileSync(file, ours.replaceAll("'lab'", JSON.stringify(device?.device_id)))
    try {
      const { code: exit, output } = await shell(`ORRERY_API_KEY=${key} node_modules/.bin/node ${file}`, home.path)
      expect(exit, output).toBe(0)
      expect(output).toMatch(/^(completed [\s\S]*\n)?accepted\n[\s\S]*Device: /)
    } finally {
      rmSync(file)
    }
  })
})
