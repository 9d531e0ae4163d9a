import { resolveModel, type ModelSettings } from '@orrery/server'
import { describe, expect, it } from 'vitest'
import { ALL_TASKS } from '../../eval/all-tasks.js'
import type { EvalTask, Scene } from '../../eval/eval-task.js'
import { lineOf, summaryOf } from '../../eval/report.js'
import { runEval } from '../../eval/run-eval.js'
import { startScriptedModel, type Reply } from '../support/scripted-model.js'

function settingsFor(url: string): ModelSettings {
  const settings = resolveModel({ ORRERY_MODEL: 'scripted', OPENAI_BASE_URL: `${url}/v1` })
  if (settings === null) throw new Error('no model')
  return settings
}

/** What the recorded run says as the `turn`th step of a task. */
function recorded(task: EvalTask, scene: Scene, turn: number): Reply {
  const command = task.solution[turn]?.replaceAll('WEB_URL', scene.web)
  if (command === undefined) return { calls: [{ tool: 'finish', input: { status: 'completed', result: task.answer ?? 'done' } }] }
  return { calls: [{ tool: 'execute_command', input: { command, cwd: scene.dir } }] }
}

describe('the evaluation', () => {
  it('has at least 25 tasks, each with a name of its own', () => {
    expect(ALL_TASKS.length).toBeGreaterThanOrEqual(25)
    expect(new Set(ALL_TASKS.map(({ id }) => id)).size).toBe(ALL_TASKS.length)
  })

  it('counts every task as done by the recorded run, whose steps do what each asks', { timeout: 120_000 }, async () => {
    let current: { task: EvalTask; scene: Scene } | null = null
    await using model = await startScriptedModel(({ turn, text }) => {
      if (current === null) throw new Error('asked outside of a task')
      expect(text).toContain(current.task.request(current.scene))
      return recorded(current.task, current.scene, turn)
    })
    const rows = await runEval({
      tasks: ALL_TASKS,
      model: settingsFor(model.url),
      begins: (task, scene) => void (current = { task, scene }),
    })
    expect(rows.filter(({ success }) => !success)).toEqual([])
    expect(summaryOf(rows)).toMatch(new RegExp(`^all +${ALL_TASKS.length}/${ALL_TASKS.length} `, 'm'))
  })

  it('counts no task as done by a model that only says so', { timeout: 120_000 }, async () => {
    await using model = await startScriptedModel([{ text: 'It is done.' }])
    const rows = await runEval({ tasks: ALL_TASKS, model: settingsFor(model.url) })
    expect(rows.filter(({ success }) => success)).toEqual([])
    expect(rows.map((row) => lineOf(row).slice(0, 5))).toEqual(rows.map(() => 'WRONG'))
  })
})
