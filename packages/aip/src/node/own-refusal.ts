import { AipError } from '../define-errors.js'
import { isAipError } from '../errors.js'

/** The header `Server` of a handshake that a server of Orrery refuses, for whatever reason. */
export const OWN_SERVER = 'Orrery'

const OWN = Symbol('a server of Orrery')

/** A refused handshake. @param server its header `Server` */
export function handshakeRefusal(message: string, server: unknown): AipError<'UNAUTHORIZED'> {
  return new AipError('UNAUTHORIZED', message, server === OWN_SERVER ? { cause: OWN } : {})
}

/** Returns whether a server of Orrery has refused the handshake: the key is wrong, and neither another way to send it nor another attempt helps. */
export function isOwnRefusal(error: unknown): boolean {
  return isAipError(error, 'UNAUTHORIZED') && error.cause === OWN
}
