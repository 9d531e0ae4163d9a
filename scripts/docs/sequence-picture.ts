/** One step of a sequence: an arrow between two participants, a note on one, or a mark that something is recorded there. */
export type Step =
  | { from: string; to: string; text: string; lost?: boolean }
  | { at: string; note: string; kind?: 'recorded' | 'down' | 'plain' }

/** What happens between some parts, from top to bottom. */
export interface Sequence {
  title: string
  /** Id and label, from left to right. */
  parts: readonly (readonly [id: string, label: string])[]
  steps: readonly Step[]
}

const COLUMN = 148
const LEFT = 84
const TOP = 92
const ROW = 34

const STYLE = `
  .head { fill: #eef3fb; stroke: #2f5fa8; stroke-width: 1.5; }
  .life { stroke: #c3ccd8; stroke-dasharray: 3 4; }
  .t { fill: #1d2733; font-weight: 600; }
  .l { fill: #1d2733; font-size: 12px; }
  .arrow { stroke: #2f5fa8; stroke-width: 1.6; fill: none; marker-end: url(#a); }
  .lost { stroke: #b3453c; stroke-dasharray: 5 4; marker-end: url(#b); }
  .recorded { fill: #e3f3e6; stroke: #3a8a4d; }
  .down { fill: #fbe9e7; stroke: #b3453c; }
  .plain { fill: #f6f8fa; stroke: #c3ccd8; }`

/** Draws a sequence as an SVG. @throws Error for a participant that is not in the list */
export function sequencePicture({ title, parts, steps }: Sequence): string {
  const xOf = (id: string): number => {
    const at = parts.findIndex(([each]) => each === id)
    if (at < 0) throw new Error(`'${id}' takes no part in '${title}'`)
    return LEFT + at * COLUMN
  }
  const width = LEFT * 2 + (parts.length - 1) * COLUMN
  const height = TOP + steps.length * ROW + 24
  const heads = parts.map(([id, label]) => {
    const x = xOf(id)
    return `<line class="life" x1="${x}" y1="70" x2="${x}" y2="${height - 14}"/><rect class="head" x="${x - 66}" y="40" width="132" height="30" rx="6"/><text class="t" x="${x}" y="60" text-anchor="middle">${escaped(label)}</text>`
  })
  const drawn = steps.map((step, at) => {
    const y = TOP + at * ROW + 14
    if ('note' in step) return note(xOf(step.at), y, step.note, step.kind ?? 'plain')
    return arrow(xOf(step.from), xOf(step.to), y, step.text, step.lost === true)
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="${escaped(title)}">
<style>${STYLE}
</style>
<defs>${marker('a', '#2f5fa8')}${marker('b', '#b3453c')}</defs>
<rect width="${width}" height="${height}" fill="#fcfdfe"/>
<text class="t" x="18" y="24">${escaped(title)}</text>
${heads.join('\n')}
${drawn.join('\n')}
</svg>
`
}

function arrow(from: number, to: number, y: number, text: string, lost: boolean): string {
  const end = lost ? from + (to - from) * 0.55 : to
  const label = `<text class="l" x="${(from + to) / 2}" y="${y - 6}" text-anchor="middle">${escaped(text)}</text>`
  return `${label}<line class="arrow${lost ? ' lost' : ''}" x1="${from}" y1="${y}" x2="${end}" y2="${y}"/>`
}

function note(x: number, y: number, text: string, kind: string): string {
  const width = Math.max(70, text.length * 6.9 + 20)
  return `<rect class="${kind}" x="${x - width / 2}" y="${y - 14}" width="${width}" height="22" rx="4"/><text class="l" x="${x}" y="${y + 1}" text-anchor="middle">${escaped(text)}</text>`
}

function marker(id: string, colour: string): string {
  return `<marker id="${id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="${colour}"/></marker>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
