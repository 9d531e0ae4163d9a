import { parseWhole } from './whole-number.js'

/**
 * A large value as the bytes of its JSON, so that a process which only passes it on never makes it into objects. JSON writes it as the
 * value itself.
 */
export class EncodedValue {
  /** The SHA-256 of the bytes, in hexadecimal. */
  readonly valueId: string
  /** JSON in UTF-8. */
  readonly jsonBytes: Uint8Array

  constructor(valueId: string, jsonBytes: Uint8Array) {
    this.valueId = valueId
    this.jsonBytes = jsonBytes
  }

  toJSON(): unknown {
    return parseWhole(new TextDecoder().decode(this.jsonBytes))
  }
}
