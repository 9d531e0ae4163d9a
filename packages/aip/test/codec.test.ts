import { describe, expect, it } from 'vitest'
import { decodeClientMessage, decodeServerMessage, encodeMessage, buildMessage, parseObject } from '../src/codec.js'
import { AipError } from '../src/define-errors.js'
import { LIMITS } from '../src/limits.js'
import { registerConfirm, heartbeatAck, taskAck, taskAssignment, command } from '../src/messages/to-client.js'
import { register, taskRequest } from '../src/messages/to-server.js'
import { RECORDS, requiredFieldsOf, type Json } from './support/messages.js'

function toServer(fields: Json) {
  return decodeClientMessage(JSON.stringify(fields)).message
}

function toClient(fields: Json) {
  return decodeServerMessage(JSON.stringify(fields)).message
}

function refusal(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    expect(error).toBeInstanceOf(AipError)
    expect((error as AipError).code).toBe('INVALID_MESSAGE')
    return (error as AipError).message
  }
  throw new Error('was not refused')
}

describe('what the codec understands', () => {
  it.each([
    ['register', 'register'],
    ['REGISTER', 'register'],
    ['Registration', 'register'],
    ['HEARTBEAT', 'heartbeat'],
    ['TASK', 'task'],
    ['TASK_REQUEST', 'task'],
    ['TASK_END', 'task_end'],
    ['COMMAND_RESULTS', 'command_results'],
    ['DEVICE_INFO_REQUEST', 'device_info_request'],
    ['DEVICE_INFO_RESPONSE', 'device_info_response'],
    ['ERROR', 'error'],
  ])('reads %s to the server as %s [S-188]', (written, type) => {
    expect(toServer({ type: written }).type).toBe(type)
  })

  it.each([
    ['REGISTER_CONFIRM', 'heartbeat'],
    ['REGISTRATION_ACK', 'heartbeat'],
    ['HEARTBEAT_ACK', 'heartbeat'],
    ['HEARTBEAT', 'heartbeat'],
    ['ACK', 'heartbeat'],
    ['TASK_ASSIGNMENT', 'task'],
    ['TASK', 'task'],
    ['COMMAND', 'command'],
    ['TASK_END', 'task_end'],
    ['DEVICE_INFO_REQUEST', 'device_info_request'],
    ['DEVICE_INFO_RESPONSE', 'device_info_response'],
    ['ERROR', 'error'],
  ])('reads %s to a client as %s [S-188]', (written, type) => {
    expect(toClient({ type: written }).type).toBe(type)
  })

  it.each(RECORDS.map((record) => [record.name, record] as const))(
    'reads every documented name of %s, in any case',
    (_, record) => {
      const read = record.direction === 'to_server' ? toServer : toClient
      for (const name of record.documented) {
        for (const written of [name, name.toLowerCase(), name[0] + name.slice(1).toLowerCase()]) {
          expect(read({ ...requiredFieldsOf(record), type: written }).type).toBe(record.type)
        }
      }
    },
  )

  it.each([
    ['success', 'ok'],
    ['SUCCESS', 'ok'],
    ['OK', 'ok'],
    ['PROCESSING', 'continue'],
    ['CONTINUE', 'continue'],
    ['CANCELLED', 'failed'],
    ['Failed', 'failed'],
    ['COMPLETED', 'completed'],
    ['ERROR', 'error'],
  ])('reads the status %s as %s', (written, status) => {
    expect(toServer({ type: 'task', status: written }).status).toBe(status)
    expect(toClient({ type: 'task_end', status: written }).status).toBe(status)
  })

  it.each([
    ['register', 'ok'],
    ['heartbeat', 'ok'],
    ['task', 'continue'],
    ['command_results', 'continue'],
    ['device_info_request', 'ok'],
    ['error', 'error'],
  ])('gives a %s without a status, or with null, the status %s', (type, status) => {
    expect(toServer({ type }).status).toBe(status)
    expect(toServer({ type, status: null }).status).toBe(status)
  })

  it.each([
    ['command', 'continue'],
    ['task', 'continue'],
    ['heartbeat', 'ok'],
    ['error', 'error'],
  ])('gives a %s to a client without a status the status %s', (type, status) => {
    expect(toClient({ type }).status).toBe(status)
  })

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('takes the status %s for no alias', (status) => {
    expect(refusal(() => toServer({ type: 'task', status }))).toMatch(/^Invalid message format: field 'status'/)
  })

  it('reads the documented form of a result: ERROR, error_message, observation', () => {
    const message = toServer({
      type: 'command_results',
      action_results: [
        { action: 'click', status: 'ERROR', error_message: 'no such window' },
        { action: 'look', status: 'SUCCESS', observation: { seen: true } },
      ],
    })
    expect(message).toHaveProperty('action_results', [
      { status: 'failure', error: 'no such window', result: null, namespace: null, call_id: null },
      { status: 'success', error: null, result: { seen: true }, namespace: null, call_id: null },
    ])
  })

  it('prefers the names of the wire where both are there, and takes null for absent', () => {
    const message = toServer({
      type: 'command_results',
      action_results: [
        { status: 'failure', error: 'wire', error_message: 'documented', result: 0, observation: 1 },
        { status: 'success', error: null, error_message: 'documented', result: null, observation: 1 },
      ],
    })
    expect(message).toHaveProperty('action_results.0.error', 'wire')
    expect(message).toHaveProperty('action_results.0.result', 0)
    expect(message).toHaveProperty('action_results.1.error', 'documented')
    expect(message).toHaveProperty('action_results.1.result', 1)
  })

  it.each([[''], [0], [false], [[]], [{}]])('keeps the result %j as it is', (result) => {
    const message = toServer({ type: 'command_results', action_results: [{ status: 'success', result, observation: 'other' }] })
    expect(message).toHaveProperty('action_results.0.result', result)
  })

  it('reads `action` as tool_name, and a tool type in any case or empty', () => {
    const message = toClient({
      type: 'command',
      actions: [
        { action: 'click', parameters: { x: 1 } },
        { tool_name: 'a', action: 'b', tool_type: 'ACTION' },
        { tool_name: 'c', tool_type: '' },
      ],
    })
    expect(message).toHaveProperty('actions', [
      { tool_name: 'click', parameters: { x: 1 }, tool_type: null, call_id: null },
      { tool_name: 'a', parameters: null, tool_type: 'action', call_id: null },
      { tool_name: 'c', parameters: null, tool_type: null, call_id: null },
    ])
  })

  it('takes the platform of a registration from its top level unless the metadata has one', () => {
    expect(toServer({ type: 'REGISTER', platform: 'linux' })).toHaveProperty('metadata', { platform: 'linux' })
    expect(toServer({ type: 'register', platform: 'linux', metadata: { a: 1 } })).toHaveProperty('metadata', {
      platform: 'linux',
      a: 1,
    })
    expect(toServer({ type: 'register', platform: 'linux', metadata: { platform: 'darwin' } })).toHaveProperty('metadata', {
      platform: 'darwin',
    })
    expect(toServer({ type: 'register', platform: 'linux', metadata: { platform: null } })).toHaveProperty('metadata', {
      platform: 'linux',
    })
    expect(toServer({ type: 'task', platform: 'linux' })).toHaveProperty('metadata', null)
  })

  it('reads the client type in any case; absent and null mean device', () => {
    expect(toServer({ type: 'register', client_type: 'CONSTELLATION' })).toHaveProperty('client_type', 'constellation')
    expect(toServer({ type: 'register', client_type: null })).toHaveProperty('client_type', 'device')
    expect(toServer({ type: 'register' })).toHaveProperty('client_type', 'device')
  })

  it.each(RECORDS.map((record) => [record.name, record] as const))(
    'fills in every field of %s: absent and null are the same',
    (_, record) => {
      const read = record.direction === 'to_server' ? toServer : toClient
      const required = { ...requiredFieldsOf(record), type: record.type }
      const absent = read(required)
      const nulls = Object.fromEntries(Object.keys(record.schema.shape).map((name) => [name, null]))
      expect(read({ ...nulls, ...required })).toEqual(absent)
      expect(Object.keys(absent)).toEqual(Object.keys(record.schema.shape))
      for (const value of Object.values(absent)) expect(value).not.toBe(undefined)
    },
  )

  it('drops keys that it does not know', () => {
    expect(toServer({ type: 'heartbeat', secret: 1, platform: 'linux' })).not.toHaveProperty('secret')
    expect(toClient({ type: 'command', actions: [{ tool_name: 'a', extra: 1 }] })).not.toHaveProperty('actions.0.extra')
  })

  it('reads bytes like text', () => {
    const source = JSON.stringify({ type: 'task', request: 'größer als 😀' })
    expect(decodeClientMessage(Buffer.from(source))).toEqual(decodeClientMessage(source))
  })

  it('tells the dialect in which a message was written', () => {
    expect(decodeClientMessage('{"type":"register"}').dialect).toBe('wire')
    expect(decodeClientMessage('{"type":"REGISTER"}').dialect).toBe('documented')
    expect(decodeServerMessage('{"type":"REGISTER_CONFIRM"}').dialect).toBe('documented')
  })
})

describe('what the codec refuses', () => {
  it.each([
    ['', 'not valid JSON'],
    ['{', 'not valid JSON'],
    ['{"type":"task"} x', 'not valid JSON'],
    ['[]', 'not a JSON object'],
    ['null', 'not a JSON object'],
    ['"task"', 'not a JSON object'],
    ['{}', "missing required field 'type'"],
    ['{"type":5}', "missing required field 'type'"],
    ['{"type":"constructor"}', "unknown type 'constructor'"],
    ['{"type":"command"}', "unknown type 'command'"],
  ])('%j, because: %s', (source, detail) => {
    expect(refusal(() => decodeClientMessage(source))).toBe(`Invalid message format: ${detail}`)
  })

  it('names the field that is wrong or missing', () => {
    expect(refusal(() => toServer({ type: 'register', client_id: 5 }))).toContain("field 'client_id'")
    expect(refusal(() => toServer({ type: 'progress', progress: 1 }))).toContain("missing required field 'call_id'")
    expect(refusal(() => toServer({ type: 'command_results', action_results: [{}] }))).toContain(
      "missing required field 'action_results.0.status'",
    )
    expect(refusal(() => toClient({ type: 'command', actions: [{ tool_name: 'a' }, { parameters: {} }] }))).toContain(
      "missing required field 'actions.1.tool_name'",
    )
  })

  it('shows only the beginning of an unknown type', () => {
    expect(refusal(() => toServer({ type: 'x'.repeat(10_000) })).length).toBeLessThan(128)
  })

  it('repeats nothing of it that is not in the alphabet of ids', () => {
    expect(refusal(() => toServer({ type: '<b>\u001b[31m\u202e' }))).toBe("Invalid message format: unknown type '?b???31m?'")
  })

  it('bytes that are not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('{"type":"task","request":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])
    expect(refusal(() => decodeClientMessage(bytes))).toBe('Invalid message format: not valid JSON')
  })

  it('a message that is nested too deep to be written again, and none that is less deep', () => {
    const nested = (levels: number): string => `{"type":"task","metadata":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}}`
    expect(refusal(() => decodeClientMessage(nested(LIMITS.nesting)))).toBe('Invalid message format: nested too deep')
    expect(refusal(() => decodeClientMessage(nested(150_000)))).toBe('Invalid message format: nested too deep')
    const { message } = decodeClientMessage(nested(LIMITS.nesting - 1))
    expect(JSON.stringify(message)).toContain('{"a":1}')
  })
})

describe('prototypes', () => {
  // The last one writes the p of __proto__ as an escape.
  it.each(['__proto__', '\\u005f\\u005fproto__', '__pr\\u006Fto__', '__\\u0070roto__', '__p\\u0072o\\u0074o__'])(
    'a key %s reaches none and is dropped at any depth',
    (key) => {
      const source = `{"type":"task","${key}":{"polluted":1},"metadata":{"${key}":{"polluted":1},"inner":{"${key}":{"polluted":1}}}}`
      const { message } = decodeClientMessage(source)
      expect(message).not.toHaveProperty('polluted')
      const { metadata } = message
      expect(Object.getOwnPropertyNames(metadata)).toEqual(['inner'])
      expect(Object.getOwnPropertyNames(metadata?.['inner'])).toEqual([])
      // What careless code does with a message.
      expect(Object.assign({}, metadata, metadata?.['inner'])).not.toHaveProperty('polluted')
      expect({}).not.toHaveProperty('polluted')
    },
  )

  it('a key `constructor` is a key like others', () => {
    const { message } = decodeClientMessage('{"type":"task","metadata":{"constructor":{"prototype":{"polluted":1}}}}')
    expect(Object.hasOwn(message.metadata ?? {}, 'constructor')).toBe(true)
    expect({}).not.toHaveProperty('polluted')
  })

  it('a text that only mentions __proto__ is left alone', () => {
    expect(parseObject('{"a":"__proto__","b":"\\u005f"}')).toEqual({ a: '__proto__', b: '_' })
  })
})

describe('the documented dialect', () => {
  const NOW = 0

  it.each([
    [registerConfirm, 'REGISTER_CONFIRM', 'success'],
    [heartbeatAck, 'HEARTBEAT_ACK', 'ok'],
    [taskAck, 'ACK', 'ok'],
    [taskAssignment, 'TASK_ASSIGNMENT', 'continue'],
    [command, 'COMMAND', 'continue'],
    [register, 'REGISTER', 'ok'],
    [taskRequest, 'TASK', 'continue'],
  ])('%#: is written with the upper-case name $1 and the status $2 [S-188]', (record, type, status) => {
    const written = JSON.parse(encodeMessage(buildMessage(record, {}, NOW), 'documented')) as Json
    expect(written).toMatchObject({ type, status })
    const leftOut: readonly string[] = record.leftOut ?? []
    expect(Object.keys(written)).toEqual(Object.keys(record.schema.shape).filter((name) => !leftOut.includes(name)))
  })

  it('never turns a refusal into a success', () => {
    const written = encodeMessage(buildMessage(registerConfirm, { status: 'error' }, NOW), 'documented')
    expect(JSON.parse(written)).toMatchObject({ status: 'error' })
  })
})
