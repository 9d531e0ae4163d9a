import { homedir } from 'node:os'
import { sep } from 'node:path'
import { clearText, messageOf } from '@orrery/aip'
import type { AlwaysOffer, TerminalAnswer, TerminalApprover, TerminalAsk } from '@orrery/device'
import { columnsOf, displayWidth, fit, inTime, shortId } from './format.js'
import { joined, paint, painted, type Line } from './painted.js'
import { typedLine } from './typed-line.js'
import { holdOutput, note, ringBell } from './write.js'

/** Lines of a page that are not the call: the prompt, and the end of the page before. */
const OTHER_LINES = 4
const FEWEST_LINES = 5
const INDENT = '  '
/** Columns of the task that are shown. */
const SHOWN_TASK = 200

/** Asks at this terminal whether a call may run; undefined without a terminal. */
export function terminalApprover(): TerminalApprover | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  // One question at a time: the answer must be to what is on the screen.
  let line: Promise<unknown> = Promise.resolve()
  let asked = 0
  let waiting = 0
  return (ask, signal) => {
    const number = (asked += 1)
    waiting += 1
    const answer = line.then(async () => {
      waiting -= 1
      if (signal.aborted) return null
      const more = waiting === 0 ? '' : ` (${waiting} more ${waiting === 1 ? 'waits' : 'wait'})`
      return askApproval(`Question ${number}${more}`, ask, signal)
    })
    line = answer
    return answer
  }
}

/**
 * Asks for an approval on stderr, with the terminal's bell, and reads the answer from stdin. Other output waits meanwhile, so that nothing else is on the screen between
 * a question and its answer.
 * @param title names the question
 * @param ask its summary is all that the answer allows
 * @param signal withdraws the question
 * @returns null if it was withdrawn or the input has ended
 */
async function askApproval(title: string, ask: TerminalAsk, signal: AbortSignal): Promise<TerminalAnswer | null> {
  const release = holdOutput()
  ringBell()
  try {
    const answer = await questionAnswer(title, ask, signal)
    if (answer === null) {
      const why =
        Date.now() >= ask.expiresAt
          ? 'Denied: there was no answer in time.'
          : 'No answer is needed any longer: it was answered elsewhere, or the call was cancelled.'
      note(painted`\n${INDENT}${why}`, 'now')
    } else if (answer === 'deny' && ask.always !== null) {
      note(
        paint('dim', `${INDENT}To allow it always, add ${ask.always.rule} to 'policy' in ${shownPath(ask.always.file)}`),
        'now',
      )
    }
    return answer
  } finally {
    release()
  }
}

async function questionAnswer(title: string, ask: TerminalAsk, signal: AbortSignal): Promise<TerminalAnswer | null> {
  const left = inTime(new Date(ask.expiresAt).toISOString())
  const pages = pagesOf(ask.summary, askerLines(ask))
  for (const [index, page] of pages.entries()) {
    const at = pages.length === 1 ? '' : `, page ${index + 1} of ${pages.length}`
    const shown: Line = painted`${paint('yellow', '?')} ${paint('bold', `${title}${at}`)}${paint('dim', `  denied ${left} without an answer`)}\n${joined(page, '\n')}`
    note(shown, 'now')
    if (index === pages.length - 1) break
    const answer = await typedLine(`${INDENT}Enter shows the next page, n denies: `, signal)
    // A page that is answered like the last one shows that it was taken for it.
    if (answer === null || answer.trim() !== '') return answer === null ? null : 'deny'
  }
  const prompt = `${INDENT}Allow this call? [y]es  [n]o${ask.always === null ? '' : '  [a]lways'} `
  for (;;) {
    const answer = await typedLine(prompt, signal)
    if (answer === null) return null
    const word = answer.trim()
    if (/^y(es)?$/i.test(word)) return 'allow'
    if (!/^a(lways)?$/i.test(word) || ask.always === null) return 'deny'
    const added = await addedRule(ask.always, signal)
    if (added !== 'no') return added
  }
}

/** Shows the rule, and adds it once that is confirmed. @returns `no` if it is not wanted */
async function addedRule(always: AlwaysOffer, signal: AbortSignal): Promise<TerminalAnswer | null | 'no'> {
  const { rule, beyond } = always
  const file = shownPath(always.file)
  note(
    joined(
      [`This rule is added to ${file}:`, `  ${rule}`, ...(beyond === null ? [] : [`It allows these words ${beyond}.`])].map(
        (line) => INDENT + line,
      ),
      '\n',
    ),
    'now',
  )
  const answer = await typedLine(`${INDENT}Add it? [y/N] `, signal)
  if (answer === null) return null
  if (!/^y(es)?$/i.test(answer.trim())) return 'no'
  try {
    const name = await always.add()
    note(paint('dim', `${INDENT}Added as ${name}; delete it in ${file} to be asked again.`), 'now')
    return { rule: name }
  } catch (error) {
    note(`${INDENT}${messageOf(error)}. The call is allowed once.`, 'now')
    return 'allow'
  }
}

/** Who asks, for what: as far as the server says it. */
function askerLines({ requestedBy, agent, sessionId, task }: TerminalAsk): string[] {
  const who = [
    requestedBy === null ? null : `by ${requestedBy}`,
    agent === null || agent === '' ? null : `agent ${agent}`,
    sessionId === null ? null : `session ${shortId(sessionId)}`,
  ].filter((each) => each !== null)
  return [
    ...(who.length === 0 ? [] : [`Asked ${clearText(who.join(', '))}`]),
    ...(task === null ? [] : [`Task: ${clearText(fit(task, SHOWN_TASK))}`]),
  ]
}

function shownPath(path: string): string {
  const home = homedir()
  return path.startsWith(`${home}${sep}`) ? `~${path.slice(home.length)}` : path
}

/** The lines of a text as the terminal shows them, cut into pages that fit its window. */
function pagesOf(text: string, below: readonly string[]): Line[][] {
  const columns = columnsOf(process.stderr, 80)
  const lines = [...text.split('\n'), ...below].flatMap((line) => wrapped(line, Math.max(columns - INDENT.length - 1, 20)))
  const size = Math.max((process.stderr.rows || 24) - OTHER_LINES, FEWEST_LINES)
  const pages: Line[][] = []
  for (let at = 0; at < lines.length; at += size) pages.push(lines.slice(at, at + size).map((line) => `${INDENT}${line}`))
  return pages
}

function wrapped(line: string, columns: number): string[] {
  const lines: string[] = []
  let current = ''
  let width = 0
  for (const character of line) {
    const own = displayWidth(character)
    if (width + own > columns) {
      lines.push(current)
      current = ''
      width = 0
    }
    current += character
    width += own
  }
  return [...lines, current]
}
