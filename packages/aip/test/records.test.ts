import { describe, expect, it } from 'vitest'
import { RECORDS, RECORD_SCHEMAS } from '../src/records/index.js'

describe('the records of a session', () => {
  it('are each described once', () => {
    const types = RECORDS.map(({ type }) => type)
    expect(new Set(types).size).toBe(types.length)
  })

  it.each([
    [
      'accepted',
      {
        session_id: 's',
        device_id: 'd',
        task_name: 't',
        request: 'r',
        owner: { kind: 'device', client_id: 'd' },
        request_id: null,
        assigned: false,
        work: { kind: 'words', request: 'r' },
      },
    ],
    ['commands_sent', { response_id: 'b', agent_name: 'a', process_name: '', root_name: '', commands: [] }],
    ['results_received', { response_id: 'b', results: [] }],
    ['question', { question_id: 'q', text: 'Which?' }],
    ['answer', { question_id: 'q', text: null }],
    ['remark', { text: 'in blue' }],
  ] as const)('%s of an older log is read with what is missing filled in', (type, data) => {
    expect(RECORD_SCHEMAS[type].safeParse(data).success).toBe(true)
  })
})
