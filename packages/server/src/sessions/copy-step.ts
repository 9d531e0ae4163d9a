import { LIMITS, errorText, messageOf, type Result } from '@orrery/aip'
import type { FileCopy } from '../agents/agent.js'
import type { CommandDispatcher } from './command-dispatcher.js'
import type { FileCopier } from './file-copier.js'
import type { Steps } from './steps.js'
import type { Task } from './task.js'
import { serverErrorText } from '../errors.js'

/** What a {@link copyStep} works with. */
export interface CopyStepParts {
  task: Task
  dispatcher: CommandDispatcher
  steps: Steps
  copier: FileCopier | undefined
  signal: AbortSignal
  stopping: AbortSignal
}

/**
 * Copies a file as a step of a session. One that a restart of the server interrupted is a failure, and is not copied again: its end is not known.
 * @throws AipError when the session is cancelled
 */
export async function copyStep(parts: CopyStepParts, copy: FileCopy, label: string): Promise<Result> {
  const { dispatcher, steps, signal } = parts
  const begun = { now: false }
  const { transfer_id: transferId } = await steps.take('copy begins', () => {
    begun.now = true
    return Promise.resolve({ transfer_id: crypto.randomUUID() })
  })
  if (!begun.now) await dispatcher.continueTransfer(transferId)
  const ended = await steps.take('copy ended', () =>
    begun.now ? copied(parts, copy, transferId, label) : Promise.resolve({ error: errorText('INTERRUPTED'), result: null }),
  )
  signal.throwIfAborted()
  return { status: ended.error === null ? 'success' : 'failure', namespace: null, call_id: null, ...ended }
}

async function copied(
  { task, dispatcher, copier, signal, stopping }: CopyStepParts,
  copy: FileCopy,
  transferId: string,
  label: string,
): Promise<Pick<Result, 'error' | 'result'>> {
  if (copier === undefined)
    return { error: serverErrorText('TRANSFER_FAILED', { detail: 'this server copies no files' }), result: null }
  let running: Promise<unknown> = Promise.resolve()
  try {
    const result = await copier.copy({
      copy,
      owner: task.owner,
      deviceId: task.deviceId,
      transferId,
      // A copy of the cleaning up runs when the session is stopping already.
      signal: stopping.aborted ? signal : AbortSignal.any([signal, stopping]),
      runHere: (command) => {
        const answered = dispatcher.executeCommands([command], { label, timeoutMs: LIMITS.toolTime }).then(onlyResult)
        running = answered.catch(() => {})
        return answered
      },
    })
    return { error: null, result }
  } catch (error) {
    signal.throwIfAborted()
    return { error: messageOf(error), result: null }
  } finally {
    // Until the device has answered, it takes no further command of this session.
    await running
  }
}

function onlyResult([result]: readonly Result[]): Result {
  if (result === undefined) throw new Error('the device gave no result')
  return result
}
