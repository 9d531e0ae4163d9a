import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WorkflowFile, WorkflowStep, describeProblems, readWorkflow } from '@orrery/graph'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CONTEXTS } from '../../packages/graph/src/expressions/expression.ts'
import { ALL_FUNCTIONS } from '../../packages/graph/src/expressions/functions.ts'
import { startWorkflowRig, type WorkflowRig } from '../workflows/run-on-device.ts'

const PAGE = readFileSync(new URL('../../docs/workflows.md', import.meta.url), 'utf8')

/** Each workflow of the page, and the result that follows it, if one does. */
const EXAMPLES = [...PAGE.matchAll(/^```yaml\n([\s\S]*?)^```(?:\s*^```json\n([\s\S]*?)^```)?/gm)].map(
  ([, text = '', result]) => ({
    text,
    result: result === undefined ? undefined : (JSON.parse(result) as unknown),
  }),
)

describe('docs/workflows.md', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'orrery-page-'))
  let rig: WorkflowRig

  beforeAll(async () => {
    mkdirSync(join(dataDir, 'workflows'))
    const token = join(dataDir, 'token')
    writeFileSync(token, 'a-long-token\n')
    rig = await startWorkflowRig({ laptop: {}, web: {} }, { dataDir, secrets: { DEPLOY_TOKEN: { file: token } } })
    for (const { text } of EXAMPLES) {
      const name = /^name: (.*)$/m.exec(text)?.[1]
      if (name !== undefined) writeFileSync(join(dataDir, 'workflows', `${name}.yaml`), text)
    }
  })
  afterAll(async () => {
    await rig[Symbol.asyncDispose]()
    rmSync(dataDir, { recursive: true })
  })

  it('has examples', () => expect(EXAMPLES.length).toBeGreaterThan(8))

  it.each(EXAMPLES)('has an example without mistakes, which runs: $text', async ({ text, result }) => {
    const reading = readWorkflow(text)
    expect('problems' in reading ? describeProblems('example', reading.problems) : '').toBe('')
    const session = await rig.run(text)
    expect(session, JSON.stringify(session)).toMatchObject({ status: 'completed' })
    if (result !== undefined) expect(session['result']).toEqual(result)
  })

  it('names every key, context and function', () => {
    const input = WorkflowFile.shape.inputs.unwrap().valueType
    const retry = WorkflowStep.shape.retry.unwrap()
    const keys = [WorkflowFile, WorkflowStep, input, retry].flatMap(({ shape }) => Object.keys(shape))
    const functions = ALL_FUNCTIONS.map(({ name }) => `${name}(`)
    const inCode = [...PAGE.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
    expect([...keys, ...CONTEXTS].filter((word) => !inCode.includes(word))).toEqual([])
    expect(functions.filter((word) => !inCode.some((code) => code.includes(word)))).toEqual([])
  })
})
