import { columnsOf, displayWidth, fit } from './format.js'
import { type Line, type Painted, type Style, joined, paint, painted, singleLine } from './painted.js'

/** A cell: text, or text with a colour. */
export type Cell = string | { text: string; style: Style }

const GAP = '  '
/** The narrowest that a column is cut to. */
const NARROWEST = 10
/** The longest name beside a value; a device may name what it says of itself as it likes. */
const WIDEST_NAME = 40

/**
 * Lines of a table that fits the width. Text from devices is made harmless.
 * @param headers one for each column
 * @param flexible indices of the columns that may be cut, in the order in which they are cut
 * @param width columns of the terminal; no limit on a pipe
 */
export function table(
  headers: readonly string[],
  rows: readonly (readonly Cell[])[],
  flexible: readonly number[] = [],
  width: number = columnsOf(process.stdout, Infinity),
): Painted[] {
  const texts = rows.map((row) => row.map((cell) => singleLine(typeof cell === 'string' ? cell : cell.text)))
  const widths = headers.map((header, column) => Math.max(header.length, ...texts.map((row) => displayWidth(row[column] ?? ''))))
  let excess = widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1)) - width
  for (const column of flexible) {
    const own = widths[column] ?? 0
    const given = Math.min(Math.max(excess, 0), Math.max(own - NARROWEST, 0))
    widths[column] = own - given
    excess -= given
  }
  // A row never takes two lines: in a narrow window what is on the right is cut, then left out.
  for (let column = widths.length - 1; column > 0 && excess > 0; column -= 1) {
    const own = widths[column] ?? 0
    const left = own - excess >= NARROWEST ? own - excess : 0
    excess -= left > 0 ? excess : own + GAP.length
    if (left > 0) widths[column] = left
    else widths.pop()
  }
  const line = (cells: readonly string[], styles: readonly (Style | undefined)[]): Painted => {
    const last = cells.slice(0, widths.length).findLastIndex((cell) => cell !== '')
    const shown = cells.slice(0, last + 1).map((cell, column): Line => {
      const text = fit(cell, column === 0 ? Math.min(widths[0] ?? 0, width) : (widths[column] ?? 0))
      const padding = column === last ? '' : ' '.repeat((widths[column] ?? 0) - displayWidth(text))
      const style = styles[column]
      return style === undefined ? `${text}${padding}` : painted`${paint(style, text)}${padding}`
    })
    return joined(shown, GAP)
  }
  const styleOf = (cell: Cell): Style | undefined => (typeof cell === 'string' ? undefined : cell.style)
  return [
    line(
      headers,
      headers.map(() => 'dim' as const),
    ),
    ...texts.map((cells, index) => line(cells, (rows[index] ?? []).map(styleOf))),
  ]
}

/** Lines of names and values, aligned; lines without a value are left out. */
export function details(pairs: readonly (readonly [name: string, value: Cell | null])[]): Painted[] {
  const shown = pairs.flatMap(([name, value]): [string, Cell][] =>
    value === null || value === '' ? [] : [[fit(singleLine(name), WIDEST_NAME), value]],
  )
  const width = Math.max(...shown.map(([name]) => displayWidth(name)))
  return shown.map(([name, value]) => {
    const text = typeof value === 'string' ? singleLine(value) : paint(value.style, singleLine(value.text))
    return painted`${paint('dim', name)}${' '.repeat(width - displayWidth(name))}  ${text}`
  })
}
