import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url))
const files = readdirSync(EXAMPLES).filter((file) => file.endsWith('.ts'))

describe('the examples', () => {
  it('are there', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'server.ts',
        'own-agent.ts',
        'device-with-own-tool.ts',
        'orchestrator.ts',
        'tour.ts',
        'constellation.ts',
        'workflow.ts',
        'own-websocket-server.ts',
      ]),
    )
  })

  // Each asserts its own result: it exits with something else than 0 if that is not what it promises.
  it.each(files)('%s does what it says', async (file) => {
    const { stdout } = await promisify(execFile)(process.execPath, [`${EXAMPLES}${file}`])
    expect(stdout).not.toBe('')
  })
})
