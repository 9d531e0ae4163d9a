import type { EvalRow } from './run-eval.ts'

/** One task in a line. */
export function lineOf({ id, success, status, steps, tokens, ms, error }: EvalRow): string {
  const outcome = success ? 'ok' : status === 'completed' ? 'WRONG' : status.toUpperCase()
  const why = error === null ? '' : `  ${error.split('\n')[0]?.slice(0, 120) ?? ''}`
  return `${outcome.padEnd(7)} ${id.padEnd(22)} ${String(steps).padStart(3)} steps  ${String(tokens).padStart(7)} tokens  ${(ms / 1000).toFixed(1).padStart(6)} s${why}`
}

/** All tasks in a few lines: for each area and in all. */
export function summaryOf(rows: readonly EvalRow[]): string {
  const areas = [...new Set(rows.map(({ area }) => area))]
  const line = (name: string, part: readonly EvalRow[]): string => {
    const sum = (value: (row: EvalRow) => number): number => part.reduce((total, row) => total + value(row), 0)
    const count = `${part.filter(({ success }) => success).length}/${part.length}`
    return `${name.padEnd(10)} ${count.padStart(6)}  ${String(sum(({ steps }) => steps)).padStart(4)} steps  ${String(sum(({ tokens }) => tokens)).padStart(8)} tokens  ${(sum(({ ms }) => ms) / 1000).toFixed(1).padStart(7)} s`
  }
  const costs = rows.map(({ cost }) => cost)
  const known = costs.every((cost) => cost !== null)
  const total = known && rows.length > 0 ? `  $${costs.reduce((sum, cost) => sum + cost, 0).toFixed(4)}` : ''
  const parts = areas.map((area) =>
    line(
      area,
      rows.filter((row) => row.area === area),
    ),
  )
  return [...parts, `${line('all', rows)}${total}`].join('\n')
}
