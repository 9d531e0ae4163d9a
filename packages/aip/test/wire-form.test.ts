import { describe, expect, it } from 'vitest'
import { buildMessage, encodeMessage } from '../src/codec.js'
import { wireTime } from '../src/clock.js'
import { TO_CLIENT, command, registerConfirm, serverError } from '../src/messages/to-client.js'
import { TO_SERVER, register } from '../src/messages/to-server.js'
import { RECORDS, UUID, WIRE_TIME, requiredFieldsOf, type Json } from './support/messages.js'

const TO_SERVER_FIELDS =
  'type,status,client_type,session_id,task_name,client_id,target_id,request,action_results,timestamp,request_id,prev_response_id,error,metadata'
const TO_CLIENT_FIELDS =
  'type,status,user_request,agent_name,process_name,root_name,actions,messages,error,session_id,task_name,timestamp,response_id,result'
const NOW = Date.UTC(2026, 10, 20, 23, 38, 4, 243)

function written(record: (typeof RECORDS)[number], fields: Json = {}): Json {
  return JSON.parse(encodeMessage(buildMessage(record, fields, NOW))) as Json
}

function nulls(fields: readonly string[] = []): Json {
  return Object.fromEntries(fields.map((name) => [name, null]))
}

describe('the wire form', () => {
  it.each(TO_SERVER.map((record) => [record.name, record] as const))(
    '%s has the 14 fields of a message to the server first',
    (_, record) => {
      const names = Object.keys(written(record)).join()
      if ('feature' in record) expect(names.startsWith(`${TO_SERVER_FIELDS},`)).toBe(true)
      else expect(names).toBe(TO_SERVER_FIELDS)
    },
  )

  it.each(TO_CLIENT.map((record) => [record.name, record] as const))(
    '%s has the 14 fields of a message to a client first',
    (_, record) => {
      const names = Object.keys(written(record)).join()
      if ('feature' in record) expect(names.startsWith(TO_CLIENT_FIELDS)).toBe(true)
      else expect(names).toBe(TO_CLIENT_FIELDS)
    },
  )

  it.each(RECORDS.map((record) => [record.name, record] as const))('%s leaves null what its sender did not set', (_, record) => {
    const { type, status, timestamp, ...rest } = written(record, requiredFieldsOf(record))
    expect(type).toBe(record.type)
    expect(['ok', 'continue', 'error']).toContain(status)
    expect(timestamp).toBe('2026-11-20T23:38:04.243000+00:00')
    for (const [name, value] of Object.entries(rest)) {
      if (name === 'client_type') expect(value).toBe('device')
      else if (name === 'response_id') expect(value).toMatch(UUID)
      else expect(value, name).toBe(requiredFieldsOf(record)[name] ?? null)
    }
  })

  it.each(RECORDS.map((record) => [record.name, record] as const))(
    '%s is lower-case and written as its schema takes it',
    (_, record) => {
      const message = written(record, requiredFieldsOf(record))
      expect(message['type']).toMatch(/^[a-z_]+$/)
      expect(record.schema.parse(message)).toEqual({ ...message, ...nulls(record.leftOut) })
    },
  )

  it('a command says that it is a concurrent read only where it is one: existing devices must not get the field', () => {
    expect(written(command)).not.toHaveProperty('concurrent')
    expect(written(command, { concurrent: true })).toMatchObject({ concurrent: true })
    expect(command.schema.parse(written(command)).concurrent).toBeNull()
  })

  it('a field that is set to undefined is null, not missing', () => {
    const message = written(register, { session_id: undefined, client_id: 'a' })
    expect(Object.keys(message).join()).toBe(TO_SERVER_FIELDS)
    expect(message).toMatchObject({ session_id: null, client_id: 'a' })
  })

  it('a confirmation has type, status, ISO time and a fresh UUID as response_id [S-200]', () => {
    const first = written(registerConfirm)
    const second = written(registerConfirm)
    expect(first).toMatchObject({ type: 'heartbeat', status: 'ok' })
    expect(first['timestamp']).toMatch(WIRE_TIME)
    expect(first['response_id']).toMatch(UUID)
    expect(second['response_id']).not.toBe(first['response_id'])
  })

  it('an error has type, status, text, time and response_id [S-248]', () => {
    const message = written(serverError, { error: 'no' })
    expect(message).toMatchObject({ type: 'error', status: 'error', error: 'no', session_id: null })
    expect(message['timestamp']).toMatch(WIRE_TIME)
    expect(message['response_id']).toMatch(UUID)
  })

  it('times are ISO-8601 in UTC with microseconds', () => {
    expect(wireTime(0)).toBe('1970-01-01T00:00:00.000000+00:00')
    expect(Date.parse(wireTime(NOW))).toBe(NOW)
  })

  it('names are unique among the records, and documented names among those that a peer reads', () => {
    expect(new Set(RECORDS.map((record) => record.name)).size).toBe(RECORDS.length)
    for (const direction of [TO_SERVER, TO_CLIENT]) {
      const meanings = new Map<string, string>()
      for (const record of direction) {
        for (const name of record.documented) {
          expect(meanings.get(name) ?? record.type, name).toBe(record.type)
          meanings.set(name, record.type)
        }
      }
    }
  })
})
