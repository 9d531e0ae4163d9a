/** One limit: its value, its unit (`ms`, `bytes` or a plural such as `sessions`), and what it limits. */
export interface Limit {
  value: number
  unit: string
  /** One sentence for the reference. */
  doc: string
}

/** A table of limits by name, from which the documentation is generated. */
export type LimitsTable = Readonly<Record<string, Limit>>

/** Describes one limit. @param unit `ms`, `bytes` or a plural such as `sessions` @param doc one sentence for the reference */
export function limit(value: number, unit: string, doc: string): Limit {
  return { value, unit, doc }
}

/** Declares a table of limits; it only keeps the names exact. */
export function defineLimits<T extends LimitsTable>(table: T): T {
  return table
}

/** The values of a table by name. */
export function limitValues<T extends LimitsTable>(table: T): { readonly [Name in keyof T]: number } {
  return Object.fromEntries(Object.entries(table).map(([name, { value }]) => [name, value])) as {
    readonly [Name in keyof T]: number
  }
}
