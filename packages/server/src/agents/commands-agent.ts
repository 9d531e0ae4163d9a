import type { Agent } from './agent.js'

/** Runs a given list of commands as one batch: completed if every result is a success, else failed. The result is the list of results. */
export const commandsAgent: Agent = {
  name: 'commands',
  accepts: (work) => work.kind === 'commands',
  async run(context) {
    const { work } = context
    if (work.kind !== 'commands') throw new TypeError(`not a list of commands: ${work.kind}`)
    const time = work.timeout_ms === undefined ? {} : { timeoutMs: work.timeout_ms }
    const results = await context.execute(work.commands, { ...time, encoded: true })
    const failed = results.find((result) => result.status !== 'success')
    if (failed === undefined) return { status: 'completed', result: results }
    return { status: 'failed', result: results, error: failed.error }
  },
}
