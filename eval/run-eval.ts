import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasEnded, type Session } from '@orrery/aip/api'
import { OrreryApi } from '@orrery/constellation'
import { DeviceConfig, startDevice } from '@orrery/device'
import { startServer, type ModelSettings } from '@orrery/server'
import type { EvalTask, Scene } from './eval-task.ts'
import { PAGES } from './tasks/web.ts'

/** How one task went. */
export interface EvalRow {
  id: string
  area: string
  success: boolean
  /** How the session ended: the model may think that it is done when it is not. */
  status: string
  steps: number
  tokens: number
  /** US dollars; null if the price is not known. */
  cost: number | null
  ms: number
  error: string | null
}

/** What {@link runEval} takes. */
export interface EvalOptions {
  tasks: readonly EvalTask[]
  model: ModelSettings
  /** Called when a task begins, with the scene that it has. */
  begins?: (task: EvalTask, scene: Scene) => void
  /** Called when a task has ended. */
  ended?: (row: EvalRow) => void
}

/** How long a check or setup may take, in milliseconds. */
const SCRIPT_TIME = 30_000
const KEYS = { operatorKey: 'eval-operator', deviceKey: 'eval-device' }
/** An evaluation runs unattended, so everything is allowed; each task has a folder of its own. */
const OPEN = { shell: 'full', policy: { rules: [{ tool: '**', do: 'allow' }] } }

/**
 * Runs the tasks one after the other: a server, and for each task a device in a fresh folder.
 * @throws Error if a task is satisfied before it has begun
 */
export async function runEval({ tasks, model, begins, ended }: EvalOptions): Promise<EvalRow[]> {
  const root = mkdtempSync(join(tmpdir(), 'orrery-eval-'))
  const web = await startSite()
  // Questions are not answered here, so no time is spent waiting.
  const server = await startServer({ port: 0, ...KEYS, model: { ...model, questionMs: 1000 } })
  const rows: EvalRow[] = []
  try {
    for (const task of tasks) {
      const scene = { dir: join(root, task.id), web: web.url }
      mkdirSync(scene.dir)
      await runScript(task.setup, scene)
      if ((await runScript(task.check, scene)) === 0) throw new Error(`${task.id} is done before it has begun`)
      begins?.(task, scene)
      const row = await runTask(task, scene, server.url)
      rows.push(row)
      ended?.(row)
    }
  } finally {
    await server.stop()
    await web.stop()
    // What tasks have started in their folders must not outlive the evaluation.
    await runScript('for f in */*.pid expected-*; do kill "$(cat "$f")" 2>/dev/null; done; true', { dir: root, web: web.url })
    rmSync(root, { recursive: true, force: true })
  }
  return rows
}

async function runTask(task: EvalTask, scene: Scene, url: string): Promise<EvalRow> {
  const device = startDevice({
    serverUrl: `${url.replace('http', 'ws')}/ws`,
    token: KEYS.deviceKey,
    clientId: task.id,
    config: DeviceConfig.parse(OPEN),
    cwd: scene.dir,
  })
  try {
    await device.registered
    const api = new OrreryApi({ server: url, apiKey: KEYS.operatorKey })
    const begun = await api.sessions.create({ device_id: task.id, request: task.request(scene) })
    let session: Session = begun
    for await (const event of api.sessions.events(begun.session_id)) {
      if (event.type === 'ended') session = await api.sessions.get(begun.session_id)
    }
    if (!hasEnded(session.status)) session = await api.sessions.get(begun.session_id)
    const result = typeof session.result === 'string' ? session.result : JSON.stringify(session.result)
    const success = session.status === 'completed' && (await runScript(task.check, scene, result)) === 0
    const { usage } = session
    return {
      id: task.id,
      area: task.area,
      success,
      status: session.status,
      steps: usage?.turns ?? 0,
      tokens: (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0),
      cost: usage?.cost_usd ?? null,
      ms: Date.parse(session.ended_at ?? session.created_at) - Date.parse(session.created_at),
      error: session.error,
    }
  } finally {
    await device.stop()
  }
}

/** Runs a script in the task's folder. @returns its exit code; 1 if it took too long */
function runScript(script: string, { dir, web }: Scene, result = ''): Promise<number> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], HOME: dir, LANG: 'C.UTF-8', WEB: web, RESULT: result }
    const child = spawn('bash', ['-c', script], { cwd: dir, env, stdio: 'ignore', timeout: SCRIPT_TIME })
    child.once('error', () => resolve(1))
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

async function startSite(): Promise<{ url: string; stop(): Promise<void> }> {
  const site = createServer((request, response) => {
    const page = PAGES[request.url ?? '']
    if (page === undefined) return void response.writeHead(404).end('Not Found')
    response.writeHead(200, { 'content-type': page.type }).end(page.body)
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  const address = site.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    async stop() {
      site.closeAllConnections()
      await new Promise((resolve) => site.close(resolve))
    },
  }
}
