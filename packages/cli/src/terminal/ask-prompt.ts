import type { Ask, TerminalApprover } from '@orrery/device'
import { columnsOf, displayWidth, inTime, shortId } from './format.js'
import { joined, paint, painted, type Line } from './painted.js'
import { typedLine } from './typed-line.js'
import { holdOutput, note, ringBell } from './write.js'

/** Lines of a page that are not the call: the prompt, and the end of the page before. */
const OTHER_LINES = 4
const FEWEST_LINES = 5
const INDENT = '  '

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
async function askApproval(
  title: string,
  { summary, sessionId, expiresAt }: Ask,
  signal: AbortSignal,
): Promise<'allow' | 'deny' | null> {
  const release = holdOutput()
  const asker = sessionId === null ? '' : `  session ${shortId(sessionId)},`
  const left = inTime(new Date(expiresAt).toISOString())
  ringBell()
  try {
    const pages = pagesOf(summary)
    for (const [index, page] of pages.entries()) {
      const at = pages.length === 1 ? '' : `, page ${index + 1} of ${pages.length}`
      const shown: Line = painted`${paint('yellow', '?')} ${paint('bold', `${title}${at}`)}${paint('dim', `${asker}${asker === '' ? '  ' : ' '}denied ${left} without an answer`)}\n${joined(page, '\n')}`
      const last = index === pages.length - 1
      const prompt = last ? `${INDENT}Allow this once? [y/N] ` : `${INDENT}Enter shows the next page, n denies: `
      note(shown, 'now')
      const answer = await typedLine(prompt, signal)
      if (answer === null) {
        const why =
          Date.now() >= expiresAt
            ? 'Denied: there was no answer in time.'
            : 'No answer is needed any longer: it was answered elsewhere, or the call was cancelled.'
        note(painted`\n${INDENT}${why}`, 'now')
        return null
      }
      const word = answer.trim()
      if (last) return /^y(es)?$/i.test(word) ? 'allow' : 'deny'
      // A page that is answered like the last one shows that it was taken for it.
      if (word !== '') return 'deny'
    }
    return 'deny'
  } finally {
    release()
  }
}

/** The lines of a text as the terminal shows them, cut into pages that fit its window. */
function pagesOf(text: string): Line[][] {
  const columns = columnsOf(process.stderr, 80)
  const lines = text.split('\n').flatMap((line) => wrapped(line, Math.max(columns - INDENT.length - 1, 20)))
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
