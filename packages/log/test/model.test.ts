import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordLog } from '../src/index.js'

interface Stream {
  name: string
  createdAt: number
  closedAt: number | null
  labels: Record<string, string | null>
  records: { seq: number; type: string; time: number; data: unknown }[]
}

type Step =
  | { do: 'append'; entries: { stream: string; data: unknown; label?: string | null; open?: boolean }[] }
  | { do: 'fail'; stream: string }
  | { do: 'prune'; maxAgeMs: number }
  | { do: 'shrink'; share: number }
  | { do: 'reopen' }
  | { do: 'wait'; ms: number }

const LABELS = ['status', 'device']
const stream = fc.constantFrom('a', 'b', 'c', 'd')
const entry = fc.record(
  {
    stream,
    data: fc.oneof(fc.jsonValue(), fc.record({ results: fc.array(fc.record({ result: fc.jsonValue() })) })),
    label: fc.option(fc.constantFrom('x', 'y')),
    open: fc.boolean(),
  },
  { requiredKeys: ['stream', 'data'] },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({ do: fc.constant('append'), entries: fc.array(entry, { maxLength: 6 }) }),
    weight: 6,
  },
  fc.record({ do: fc.constant('fail'), stream }),
  fc.record({ do: fc.constant('prune'), maxAgeMs: fc.nat(50) }),
  fc.record({ do: fc.constant('shrink'), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ do: fc.constant('reopen') }),
  fc.record({ do: fc.constant('wait'), ms: fc.nat(30) }),
)

/** The same in memory, as simple as can be. */
class Model {
  streams: Stream[] = []
  lastSeq = 0
  time = 1000

  append({ stream: name, data, label, open }: { stream: string; data: unknown; label?: string | null; open?: boolean }): number {
    this.lastSeq += 1
    let found = this.streams.find((candidate) => candidate.name === name)
    if (found === undefined) {
      found = { name, createdAt: this.time, closedAt: null, labels: { status: null, device: null }, records: [] }
      this.streams.push(found)
    }
    if (label !== undefined) found.labels['status'] = label
    if (open !== undefined) found.closedAt = open ? null : this.time
    found.records.push({ seq: this.lastSeq, type: 'n', time: this.time, data: JSON.parse(JSON.stringify(data)) })
    return this.lastSeq
  }

  /** Closed streams in the order in which they are pruned. */
  get closed(): Stream[] {
    return this.streams
      .filter((candidate) => candidate.closedAt !== null)
      .sort((a, b) => (a.closedAt ?? 0) - (b.closedAt ?? 0) || this.streams.indexOf(a) - this.streams.indexOf(b))
  }

  drop(count: number): void {
    const dropped = new Set(this.closed.slice(0, count))
    this.streams = this.streams.filter((candidate) => !dropped.has(candidate))
  }
}

function check(log: RecordLog, model: Model): void {
  const expected = model.streams.map((one) => ({
    stream: one.name,
    open: one.closedAt === null,
    firstSeq: one.records[0]?.seq,
    createdAt: one.createdAt,
    labels: one.labels,
    summary: null,
  }))
  expect(log.streams()).toEqual(expected)
  for (const open of [true, false]) {
    const wanted = expected.filter((one) => one.open === open && one.labels['status'] === 'x')
    expect(log.streams({ open, labels: { status: 'x' }, newestFirst: true })).toEqual(wanted.toReversed())
  }
  for (const name of ['a', 'b', 'c', 'd']) {
    const records = model.streams.find((one) => one.name === name)?.records ?? []
    const read = log.read(name)
    expect(read.map(({ stream: of, ...rest }) => ({ ...rest, data: log.resolve(rest.data), of }))).toEqual(
      records.map((record) => ({ ...record, of: name })),
    )
    const middle = records[Math.floor(records.length / 2)]?.seq ?? 0
    expect(log.read(name, middle)).toEqual(read.filter((record) => record.seq > middle))
    expect(log.stream(name)).toEqual(expected.find((one) => one.stream === name))
  }
}

async function apply(log: RecordLog, model: Model, action: Exclude<Step, { do: 'reopen' }>): Promise<void> {
  switch (action.do) {
    case 'append': {
      const entries = action.entries.map(({ label, ...rest }) => ({
        type: 'n',
        ...rest,
        ...(label === undefined ? {} : { labels: { status: label } }),
      }))
      const seqs = Promise.all(entries.map(({ stream: name, type, data, ...options }) => log.append(name, type, data, options)))
      expect((await seqs).map((record) => record.seq)).toEqual(action.entries.map((one) => model.append(one)))
      return
    }
    case 'fail': {
      const untyped: unknown = undefined
      const both = [log.append(action.stream, 'n', 1, { open: false }), log.append(action.stream, untyped as string, 1)]
      expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
      return
    }
    case 'prune': {
      const expected = model.closed.filter((one) => model.time - (one.closedAt ?? 0) >= action.maxAgeMs).length
      expect(log.prune({ maxAgeMs: action.maxAgeMs })).toBe(expected)
      return model.drop(expected)
    }
    case 'shrink': {
      const maxBytes = log.bytes * action.share
      const count = log.prune({ maxBytes })
      model.drop(count)
      expect(log.bytes <= maxBytes || model.closed.length === 0).toBe(true)
      return
    }
    case 'wait':
      model.time += action.ms
  }
}

describe('a log', () => {
  it('does what a list in memory does, whatever is appended, closed, pruned and opened again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.constantFrom(20, 200, 65_536), async (steps, inlineBytes) => {
        const folder = mkdtempSync(join(tmpdir(), 'orrery-log-'))
        const model = new Model()
        const open = (): RecordLog =>
          RecordLog.open(join(folder, 'log.db'), { labels: LABELS, inlineBytes, now: () => model.time })
        let log = open()
        try {
          for (const action of steps) {
            if (action.do === 'reopen') {
              await log.close()
              log = open()
            } else {
              await apply(log, model, action)
            }
            check(log, model)
          }
        } finally {
          await log.close()
          rmSync(folder, { recursive: true })
        }
      }),
      { numRuns: 150 },
    )
  })
})
