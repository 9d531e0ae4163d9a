import type { Book, Breach } from './book.ts'
import { KINDS, KIND_NAMES } from './kinds.ts'
import type { Fault } from './plan.ts'

const COLUMNS = [
  'fault',
  'injected',
  'during a command',
  'tasks accepted',
  'lost',
  'run twice',
  'interrupted',
  'wrong recipient',
  'hung',
  'disconnected',
  'other',
  'recovery p50',
  'p99',
] as const
const BREACHES: readonly Breach[] = ['lost', 'twice', 'wrong', 'hung', 'disconnected', 'other']

/** The table of a run, in Markdown: a row for each kind of fault, and one for all. */
export function tableOf(book: Book): string {
  const rows = [
    ...KIND_NAMES.flatMap((kind) => {
      const own = (fault: Fault | null): boolean => fault?.kind === kind
      return book.injected.some(({ fault }) => own(fault)) ? [rowOf(KINDS[kind].title, book, own)] : []
    }),
    rowOf('all', book, () => true),
  ]
  return [COLUMNS, ['---', ...COLUMNS.slice(1).map(() => '---:')], ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/** One line for each broken promise, and the faults that were not injected. */
export function findingsOf(book: Book): string[] {
  const missed = book.missed.length === 0 ? [] : [`${book.missed.length} fault(s) were not injected: ${describeMissed(book)}`]
  const found = book.findings.map(({ breach, detail, fault }) => {
    const after = fault === null ? 'before the first fault' : `after: ${KINDS[fault.kind].title} ${fault.moment}`
    return `${breach}: ${detail} (${after})`
  })
  return [...missed, ...found]
}

function describeMissed(book: Book): string {
  const counts = new Map<string, number>()
  for (const { kind, moment } of book.missed) {
    const name = kind.endsWith('point') ? `${KINDS[kind].title}, ${moment}` : KINDS[kind].title
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => `${name} (${count})`).join('; ')
}

function rowOf(title: string, book: Book, own: (fault: Fault | null) => boolean): string[] {
  const injected = book.injected.filter(({ fault }) => own(fault))
  const sum = (map: ReadonlyMap<Fault | null, number>): number =>
    [...map].reduce((total, [fault, count]) => total + (own(fault) ? count : 0), 0)
  const breach = (wanted: Breach): string =>
    String(book.findings.filter((finding) => finding.breach === wanted && own(finding.fault)).length)
  const [lost, twice, ...rest] = BREACHES.map(breach)
  const times = injected.flatMap(({ recoveryMs }) => (recoveryMs === null ? [] : [recoveryMs])).sort((a, b) => a - b)
  const running = injected.filter(({ duringCommand }) => duringCommand).length
  return [
    title,
    String(injected.length),
    `${Math.round((100 * running) / Math.max(1, injected.length))} %`,
    String(sum(book.accepted)),
    lost ?? '',
    twice ?? '',
    String(sum(book.interrupted)),
    ...rest,
    seconds(times, 0.5),
    seconds(times, 0.99),
  ]
}

function seconds(times: readonly number[], share: number): string {
  const time = times[Math.min(times.length - 1, Math.floor(times.length * share))]
  return time === undefined ? '' : `${(time / 1000).toFixed(2)} s`
}
