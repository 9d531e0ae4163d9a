import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Row } from './row.ts'

const DOCS = fileURLToPath(new URL('../docs/', import.meta.url))
const [BEGIN, END] = ['<!-- figures -->', '<!-- /figures -->']

/** The machine in one line. */
function machine(): string {
  const all = cpus()
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 1024 ** 3)} GiB, ${type()} ${release()}, Node ${process.versions.node}`
}

function figure(value: number | null): string {
  if (value === null) return ''
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** The table as Markdown. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ name, unit, orrery, baseline, ratio, aim }) => {
    const aimed = aim === undefined ? '' : `${aim.text}: ${aim.holds ? 'yes' : '**no**'}`
    return `| ${name} | ${figure(orrery)} ${unit} | ${baseline === null ? '' : `${figure(baseline)} ${unit}`} | ${ratio === null ? '' : ratio.toFixed(2)} | ${aimed} |`
  })
  return ['| measured | Orrery | baseline | ratio | aim |', '| --- | ---: | ---: | ---: | --- |', ...lines].join('\n')
}

/** Writes the figures into the documentation: as JSON, as a picture, and into the page. @param date ISO-8601 */
export function writeReport(rows: readonly Row[], date: string): void {
  writeFileSync(join(DOCS, 'performance.json'), `${JSON.stringify({ machine: machine(), date, rows }, null, 2)}\n`)
  writeFileSync(join(DOCS, 'performance.svg'), pictureOf(rows))
  const page = join(DOCS, 'performance.md')
  const text = readFileSync(page, 'utf8')
  const [before = '', rest = ''] = text.split(BEGIN)
  const [, after = ''] = rest.split(END)
  writeFileSync(page, `${before}${BEGIN}\nMeasured ${date.slice(0, 10)} on ${machine()}.\n\n${tableOf(rows)}\n${END}${after}`)
}

/** Bars of the ratios; the line is the baseline. */
function pictureOf(rows: readonly Row[]): string {
  const shown = rows.filter((each) => each.ratio !== null && each.unit === '/s')
  const height = 40 + shown.length * 30
  const scale = 270
  const bars = shown.map(({ name, ratio, orrery }, index) => {
    const y = 34 + index * 30
    const width = Math.min(ratio ?? 0, 1.2) * scale
    return `<text x="412" y="${y + 14}" text-anchor="end">${name}</text><rect x="424" y="${y}" width="${width.toFixed(0)}" height="20" rx="3" fill="#2f5fa8"/><text x="${(430 + width).toFixed(0)}" y="${y + 14}">${(ratio ?? 0).toFixed(2)}  (${figure(orrery)}/s)</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 ${height}" font-family="system-ui, sans-serif" font-size="12.5" fill="#1d2733">
<rect width="860" height="${height}" fill="#fcfdfe"/>
<text x="424" y="20">ratio to a server that only parses JSON and answers; the line is 1</text>
<line x1="${424 + scale}" y1="28" x2="${424 + scale}" y2="${height - 6}" stroke="#8a97a8" stroke-dasharray="4 3"/>
${bars.join('\n')}
</svg>
`
}
