import { WholeNumber } from '@orrery/aip'
import { data } from '@actions/expressions'

/** What an expression gives that looks up a name which does not exist. Everywhere but in a command it counts as null. */
export class Undefined extends data.Null {}

/** An integer of up to 64 bits that a plain number would round. */
export class WholeNumberData extends data.NumberData {
  readonly whole: WholeNumber

  constructor(whole: WholeNumber) {
    super(Number(whole.value))
    this.whole = whole
  }

  override coerceString(): string {
    return this.whole.toString()
  }
}

/**
 * A JSON object as an expression sees it. The object itself is never copied or changed, so that one that is handed on is the same. A name is
 * looked up as it is written, then without regard to case.
 */
export class JsonObject extends data.Dictionary {
  readonly source: Readonly<Record<string, unknown>>

  constructor(source: Readonly<Record<string, unknown>>) {
    super()
    this.source = source
  }

  override get(key: string): data.ExpressionData | undefined {
    const name = nameIn(this.source, key)
    return name === undefined ? undefined : wrap(this.source[name])
  }

  override values(): data.ExpressionData[] {
    return Object.values(this.source).map(wrap)
  }

  override pairs(): { key: string; value: data.ExpressionData }[] {
    return Object.entries(this.source).map(([key, value]) => ({ key, value: wrap(value) }))
  }
}

/** A JSON list as an expression sees it, not copied. */
export class JsonList extends data.Array {
  readonly source: readonly unknown[]

  constructor(source: readonly unknown[]) {
    super()
    this.source = source
  }

  override get(index: number): data.ExpressionData {
    return index < this.source.length ? wrap(this.source[index]) : new Undefined()
  }

  override values(): data.ExpressionData[] {
    return this.source.map(wrap)
  }
}

/** Returns a key of an object: the one that is written so, else the first that differs only in case. */
export function nameIn(object: Readonly<Record<string, unknown>>, key: string): string | undefined {
  if (Object.hasOwn(object, key)) return key
  const lower = key.toLowerCase()
  return Object.keys(object).find((name) => name.toLowerCase() === lower)
}

/** The same object is always the same to an expression, which compares objects by identity. */
const WRAPPED = new WeakMap<object, data.ExpressionData>()

/** Makes a JSON value readable for expressions; objects and lists stay as they are. */
export function wrap(value: unknown): data.ExpressionData {
  if (value === null) return new data.Null()
  if (value === undefined) return new Undefined()
  if (typeof value === 'string') return new data.StringData(value)
  if (typeof value === 'number') return new data.NumberData(value)
  if (typeof value === 'boolean') return new data.BooleanData(value)
  if (value instanceof WholeNumber) return new WholeNumberData(value)
  if (typeof value !== 'object') return new Undefined()
  const known = WRAPPED.get(value)
  if (known !== undefined) return known
  const wrapped = Array.isArray(value) ? new JsonList(value) : new JsonObject(Object(value) as Record<string, unknown>)
  WRAPPED.set(value, wrapped)
  return wrapped
}

/** Returns the JSON value of what an expression gives. */
export function unwrap(value: data.ExpressionData): unknown {
  if (value instanceof JsonObject || value instanceof JsonList) return value.source
  if (value instanceof WholeNumberData) return value.whole
  if (value instanceof data.Array) return value.values().map(unwrap)
  if (value instanceof data.Dictionary)
    return Object.fromEntries(value.pairs().map(({ key, value: item }) => [key, unwrap(item)]))
  if (value instanceof data.NumberData || value instanceof data.BooleanData || value instanceof data.StringData)
    return value.value
  return null
}
