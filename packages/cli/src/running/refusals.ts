import { isAipError, messageOf, tlsProblemOf, tlsProblemText } from '@orrery/aip'
import { paint, painted, singleLine } from '../terminal/painted.js'
import { tlsAdvice } from '../terminal/errors.js'
import { note } from '../terminal/write.js'

/** Remembers that a server refuses this device, and reports it the first time. */
export class Refusals {
  /** Why the last attempt was refused; null if it failed otherwise. */
  last: string | null = null
  /** Whether that is because no secure connection could be made. */
  insecure = false
  #said = false

  /** @param error of an attempt */
  add(error: unknown): void {
    this.insecure = tlsProblemOf(error) !== null
    this.last = reasonOf(error)
    if (this.last === null || this.#said) return
    this.#said = true
    note(painted`${paint('yellow', 'orrery:')} ${this.last}; trying again`)
  }

  /** It was accepted. */
  clear(): void {
    this.last = null
    this.#said = false
  }
}

function reasonOf(error: unknown): string | null {
  const tls = tlsProblemOf(error)
  if (tls !== null) return `no secure connection to the server: ${tlsProblemText(tls)}: ${tlsAdvice(tls)}`
  if (isAipError(error, 'UNAUTHORIZED'))
    return "the server does not take the key: is the key right? (--token, ORRERY_API_KEY, 'token' in device.jsonc, or device.key in ORRERY_HOME)"
  if (!isAipError(error, 'REGISTRATION_FAILED')) return null
  const reason = typeof error.cause === 'string' ? `: ${error.cause}` : ''
  const cure = /already registered|belongs to another/.test(reason)
    ? '. Two machines with one name? Start one with another --client-id'
    : ''
  return singleLine(`${messageOf(error)}${reason}${cure}`)
}
