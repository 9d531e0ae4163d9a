/** One line of the table. `ratio` is Orrery's figure over the baseline's. */
export interface Row {
  name: string
  unit: string
  orrery: number
  baseline: number | null
  ratio: number | null
  /** What was aimed for, and whether it holds. */
  aim?: { text: string; holds: boolean }
}

/** A row; the ratio is worked out. */
export function row(name: string, unit: string, orrery: number, baseline: number | null = null, aim?: Row['aim']): Row {
  const made: Row = { name, unit, orrery, baseline, ratio: baseline === null ? null : orrery / baseline }
  return aim === undefined ? made : { ...made, aim }
}
