import { type ClientType } from '@orrery/aip'
import type { Right } from '@orrery/aip/api'
import type { Owner } from '@orrery/aip/records'
import { serverError } from '../errors.js'

/** A right that a principal may have; every principal has `any` and `open`. */
export type OwnRight = Exclude<Right, 'any' | 'open'>

/** Who makes a request. Created from a key, and again when a client registers; never read from a message. */
export interface Principal {
  readonly kind: Owner['kind']
  /** Its name in records and in a device's audit. */
  readonly name: string
  /** The id that the client registered with; null for a key. */
  readonly clientId: string | null
  readonly rights: ReadonlySet<OwnRight>
  /** The kinds of client that its key may register as. */
  readonly registers: readonly ClientType[]
  /** Whether it can return to its sessions after its connection was lost. */
  readonly resumes: boolean
}

/** The holder of the operator key, who may do everything. */
export const OPERATOR: Principal = {
  kind: 'operator',
  name: 'operator',
  clientId: null,
  rights: new Set(['read', 'run', 'approve', 'admin']),
  registers: ['device', 'constellation'],
  resumes: false,
}

/** The holder of the device key before it registers; it may only be a device. */
export const DEVICE_KEY: Principal = {
  kind: 'device',
  name: 'device key',
  clientId: null,
  rights: new Set(),
  registers: ['device'],
  resumes: false,
}

/** A caller without a key, where none is required. */
export const STRANGER: Principal = { ...DEVICE_KEY, name: 'stranger', registers: [] }

/** Shared by the many clients. */
const OF_CLIENTS: ReadonlySet<OwnRight> = new Set(['read', 'run'])
const NOTHING: readonly ClientType[] = []

/** A client that has registered: a device runs tasks on itself, a constellation on any device. */
export function clientPrincipal(kind: ClientType, clientId: string, resumes: boolean): Principal {
  return {
    kind,
    name: clientId,
    clientId,
    rights: OF_CLIENTS,
    registers: NOTHING,
    resumes: kind === 'constellation' && resumes,
  }
}

/** @throws AipError `FORBIDDEN`, which names the right */
export function requireRight({ rights }: Principal, right: OwnRight): void {
  if (!rights.has(right)) throw serverError('FORBIDDEN', { right })
}

/** Returns a principal as the records of its sessions name it. */
export function ownerOf({ kind, clientId, resumes }: Principal): Owner {
  return { kind, client_id: clientId, resumes }
}
