import type { Result } from '@orrery/aip'
import type { Agent } from '@orrery/server'

/**
 * An agent for tests: it runs requests in words as scripts. `run A B` runs tools A and B as one batch and completes; `fail TEXT`
 * fails; `throw TEXT` throws; `hang` waits until it is cancelled; `deaf` does not even end then.
 */
export const scriptedAgent: Agent = {
  name: 'scripted',
  accepts: (work) => work.kind === 'words',
  async run(context) {
    if (context.work.kind !== 'words') throw new TypeError('not words')
    const [verb = '', ...rest] = context.work.request.split(' ')
    switch (verb) {
      case 'run': {
        const results: Result[] = await context.execute(
          rest.map((tool) => ({ tool_name: tool, parameters: {}, tool_type: 'action' })),
        )
        return { status: 'completed', result: results.map(({ result }) => result) }
      }
      case 'fail':
        return { status: 'failed', result: null, error: rest.join(' ') }
      case 'throw':
        throw new Error(rest.join(' '))
      case 'hang':
        await new Promise((_resolve, reject) => {
          context.signal.addEventListener('abort', () => reject(new Error('aborted')))
        })
        break
      case 'deaf':
        await new Promise(() => {})
        break
      default:
        return { status: 'completed', result: 'nothing to do' }
    }
    return { status: 'completed', result: null }
  },
}
