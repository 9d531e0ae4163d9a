import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@orrery/aip'
import { describe, expect, it } from 'vitest'
import { SecretSources } from '../../src/config/secret-sources.js'
import { WorkflowLibrary } from '../../src/agents/workflow/workflow-library.js'

const SOURCE = 'name: demo\ndescription: A demo.\nsteps: [{ tool: echo }]\n'

describe('a library that is asked for many workflows at once', () => {
  it('gives each, and reads one file at a time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'orrery-workflows-'))
    writeFileSync(join(folder, 'demo.yaml'), SOURCE)
    const library = new WorkflowLibrary(folder, new SecretSources(), silentLogger)
    const open = (): number => readdirSync('/proc/self/fd').length
    const before = open()
    let most = 0
    const done = new AbortController()
    const watching = (async () => {
      while (!done.signal.aborted) {
        most = Math.max(most, open())
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    const asked = Array.from({ length: 2000 }, (_, at) => library.workOf(at % 2 === 0 ? 'workflow:demo' : `workflow:gone-${at}`))
    const answers = await Promise.allSettled(asked)
    done.abort()
    await watching
    rmSync(folder, { recursive: true })
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1000)
    for (const answer of answers)
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' })
    expect(most - before).toBeLessThan(50)
  })
})
