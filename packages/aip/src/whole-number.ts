declare global {
  interface JSON {
    /** Makes a value that JSON.stringify writes as this text (ECMAScript 2026; the types of TypeScript do not have it yet). */
    rawJSON(text: string): object
  }
}

/** An integer of up to 64 bits that a JavaScript number cannot hold. In JSON it is a number with all its digits. */
export class WholeNumber {
  /** What tells it from others where an object is compared by its properties. */
  readonly digits: string

  constructor(value: bigint) {
    this.digits = value.toString()
  }

  get value(): bigint {
    return BigInt(this.digits)
  }

  /**
   * Returns a whole number as a plain one where that is exact.
   * @throws RangeError if it has more than 64 bits
   */
  static of(value: bigint): number | WholeNumber {
    const plain = Number(value)
    if (String(plain) === value.toString()) return plain
    if (BigInt.asIntN(64, value) !== value && BigInt.asUintN(64, value) !== value)
      throw new RangeError(`${value} has more than 64 bits: write it in quotes`)
    return new WholeNumber(value)
  }

  toJSON(): object {
    return JSON.rawJSON(this.digits)
  }

  toString(): string {
    return this.digits
  }
}

/** A number that may be one that JavaScript rounds. */
const MANY_DIGITS = /\d{16}/

/** Returns whether JSON may hold an integer that JSON.parse rounds. */
export function mayRound(json: string): boolean {
  return MANY_DIGITS.test(json)
}

/** Parses JSON, and keeps every digit of integers of up to 64 bits. @throws SyntaxError */
export function parseWhole(text: string): unknown {
  // A reviver makes reading several times as slow, and few texts need it.
  return mayRound(text) ? (JSON.parse(text, keepWhole) as unknown) : (JSON.parse(text) as unknown)
}

function keepWhole(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const digits = context?.source
  if (digits === undefined || !/^-?\d{16,20}$/.test(digits)) return value
  const whole = BigInt(digits)
  if (String(value) === digits) return value
  return BigInt.asIntN(64, whole) === whole || BigInt.asUintN(64, whole) === whole ? new WholeNumber(whole) : value
}
