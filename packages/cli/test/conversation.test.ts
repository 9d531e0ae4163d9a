import { PassThrough } from 'node:stream'
import type { Session, SessionEvent } from '@orrery/aip/api'
import { describe, expect, it, vi } from 'vitest'
import { Conversation } from '../src/follow/conversation.js'

/** A conversation, what it said to the server, and what it noted for the user. */
function talk(fail?: string) {
  const input = new PassThrough()
  const drafts: string[] = []
  const said: string[][] = []
  const notes: string[] = []
  const say = (...words: string[]): Promise<Session> => {
    said.push(words)
    return fail === undefined ? Promise.resolve({} as Session) : Promise.reject(new Error(fail))
  }
  const sessions = {
    answer: (id: string, text: string, question?: string) => say('answer', id, text, question ?? ''),
    remark: (id: string, text: string) => say('remark', id, text),
  }
  return {
    input,
    said,
    notes,
    drafts,
    conversation: new Conversation({
      sessions,
      sessionId: 's',
      input,
      draft: (text, cursor) => void drafts.push(`${text.slice(0, cursor)}|${text.slice(cursor)}`),
      note: (text) => void notes.push(text),
    }),
  }
}

const event = (type: SessionEvent['type'], data: Record<string, unknown> = {}): SessionEvent => ({
  seq: 1,
  session_id: 's',
  time: '',
  type,
  data,
})

describe('what is typed while a task runs', () => {
  it('is a remark, or the answer while a question is open; blank lines are nothing', async () => {
    const { input, said, conversation } = talk()
    input.write('\nleave the logs\n')
    await vi.waitFor(() => expect(said).toHaveLength(1))
    conversation.hear(event('question', { question_id: 'q1', text: 'Which?' }))
    input.write('both\n')
    await vi.waitFor(() => expect(said).toHaveLength(2))
    conversation.hear(event('answer'))
    input.write('hurry\n')
    await vi.waitFor(() => expect(said).toHaveLength(3))
    conversation.close()
    expect(said).toEqual([
      ['remark', 's', 'leave the logs'],
      ['answer', 's', 'both', 'q1'],
      ['remark', 's', 'hurry'],
    ])
  })

  it('is a remark if it was begun before the question came, and does not answer that', async () => {
    const { input, said, conversation } = talk()
    input.write('ye')
    conversation.hear(event('question', { question_id: 'q1', text: 'Delete it?' }))
    input.write('s\n')
    await vi.waitFor(() => expect(said).toHaveLength(1))
    input.write('no\n')
    await vi.waitFor(() => expect(said).toHaveLength(2))
    conversation.close()
    expect(said).toEqual([
      ['remark', 's', 'yes'],
      ['answer', 's', 'no', 'q1'],
    ])
  })

  it('is shown while it is typed, and can be corrected before it is sent', async () => {
    const { input, said, drafts, conversation } = talk()
    input.write('ab')
    input.write('\u001B[D')
    input.write('\u007F')
    input.write('c\r')
    await vi.waitFor(() => expect(said).toEqual([['remark', 's', 'cb']]))
    conversation.close()
    expect(drafts).toEqual(['a|', 'ab|', 'a|b', '|b', 'c|b', '|', '|'])
  })

  it('that cannot be sent is reported to the user', async () => {
    const { input, notes, conversation } = talk('the session has ended')
    input.write('hello\n')
    await vi.waitFor(() => expect(notes).toEqual(['the session has ended']))
    conversation.close()
  })
})
