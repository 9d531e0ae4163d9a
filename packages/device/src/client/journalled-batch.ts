import { errorText, messageOf, type Logger, type Result } from '@orrery/aip'
import { outcome, type BatchControl } from '../computer/command-router.js'
import type { CommandJournal, JournalledBatch } from '../journal/command-journal.js'

/** The part of a run that the journal takes: what is recorded around each command, and what is answered from it. */
export type JournalHooks = Required<Pick<BatchControl, 'known' | 'starting' | 'after'>>

/**
 * Runs a batch under the journal: a batch that was finished before is answered with the same results; otherwise what was done is
 * not done again, what was begun and may have had its effect is reported as interrupted, and the rest runs.
 * @param run runs the commands with these hooks
 * @throws AipError `JOURNAL_FAILED` if the batch cannot be recorded; nothing has run then
 */
export async function runJournalled(
  journal: CommandJournal,
  batch: JournalledBatch,
  run: (hooks: JournalHooks) => Promise<Result[]>,
  logger: Logger,
): Promise<Result[]> {
  const { response_id: id } = batch
  const past = journal.past(id)
  if (past?.results) return past.results
  // A command that has run cannot be undone: its result is sent even if it cannot be recorded.
  const record = async (writing: Promise<void>): Promise<void> => {
    await writing.catch((error: unknown) => logger.error(messageOf(error)))
  }
  // Committed together with the first command's start.
  const begun = past === undefined ? journal.begin(batch) : Promise.resolve()
  const results = await run({
    known: async (command, repeatable) => {
      const known = command.call_id === null ? undefined : past?.done.get(command.call_id)
      if (known !== undefined) return known
      const started = past?.started.has(command.call_id) === true
      return started && !(await repeatable()) ? outcome(command, { status: 'failure', error: errorText('INTERRUPTED') }) : null
    },
    starting: async (command) => {
      await Promise.all([begun, journal.started(id, command)])
    },
    after: (command, result) => record(journal.done(id, command, result)),
  })
  await begun
  await record(journal.finished(id, results))
  return results
}
