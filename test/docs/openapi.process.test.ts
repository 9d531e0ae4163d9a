import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const REDOCLY = fileURLToPath(import.meta.resolve('@redocly/cli/bin/cli.js'))
const DOCUMENT = fileURLToPath(new URL('../../docs/openapi.json', import.meta.url))

interface Report {
  problems: { ruleId: string; message: string; location: { pointer?: string }[] }[]
}

describe('the OpenAPI document', () => {
  it('passes the recommended rules of redocly, without a warning', async () => {
    const args = [REDOCLY, 'lint', '--extends', 'recommended', '--format', 'json', '--max-problems', '1000', DOCUMENT]
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
    // It ends with 1 when it finds an error, and says what on stdout all the same.
    const { stdout } = await promisify(execFile)(process.execPath, args, { env }).catch((error: { stdout: string }) => error)
    const { problems } = JSON.parse(stdout) as Report
    expect(problems.map(({ ruleId, message, location: [place] }) => `${ruleId} ${place?.pointer}: ${message}`)).toEqual([])
  })
})
