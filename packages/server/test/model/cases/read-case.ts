import { readFileSync } from 'node:fs'
import type { Reply } from '../../../../../test/support/scripted-model.js'

/** The text of a file of this folder: what real endpoints and models said. */
export function caseText(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}

/** One recorded answer with a status. */
export interface RecordedAnswer {
  status: number
  type?: string
  body: unknown
}

/** A recorded answer as the scripted model gives it. */
export function replyOf({ status, type = 'application/json', body }: RecordedAnswer): Reply {
  return { raw: typeof body === 'string' ? body : JSON.stringify(body), status, type }
}

/** The recorded answers in a file. */
export function caseAnswers<T = RecordedAnswer>(name: string): T[] {
  return JSON.parse(caseText(name)) as T[]
}

/** A stream of OpenAI's chat completions with this delta, and then the end. */
export function deltaStream(deltas: readonly object[], finish = 'stop'): Reply {
  const chunk = (delta: object, finish_reason: string | null): string =>
    `data: ${JSON.stringify({ id: 'r', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }] })}\n\n`
  return { raw: `${deltas.map((delta) => chunk(delta, null)).join('')}${chunk({}, finish)}data: [DONE]\n\n` }
}
