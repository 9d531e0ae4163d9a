import { LIMITS } from '@orrery/aip'
import { expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { ProgressPacer } from '../src/client/progress-pacer.js'

it('passes on so many reports a second, then the newest, and the last before the end', async () => {
  const clock = new ManualClock()
  const sent: number[] = []
  const pacer = new ProgressPacer(clock, ({ progress }) => sent.push(progress))
  const report = (progress: number): void => pacer.report({ sessionId: 's', callId: 'c', progress })
  const first = Array.from({ length: LIMITS.progressReports }, (_, index) => index)
  for (let progress = 0; progress < 5000; progress += 1) report(progress)
  expect(sent).toEqual(first)
  await clock.advance(999)
  expect(sent).toHaveLength(first.length)
  await clock.advance(1)
  expect(sent.at(-1)).toBe(4999)
  report(5000)
  expect(sent.at(-1)).toBe(5000)
  for (let progress = 5001; progress < 9000; progress += 1) report(progress)
  await clock.advance(500)
  pacer.flush()
  expect(sent.at(-1)).toBe(8999)
  await clock.advance(5000)
  expect(sent.filter((progress) => progress === 8999)).toHaveLength(1)
})
