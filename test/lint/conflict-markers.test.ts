import { expect, it } from 'vitest'
import { conflictFindings } from '../../scripts/lint/conflict-markers.ts'

it('a conflict that a merge left in a comment is found', () => {
  const left = ['/*', `${'<'.repeat(7)} HEAD`, ' one', '='.repeat(7), ' other', `${'>'.repeat(7)} main`, '*/'].join('\n')
  const findings = conflictFindings([{ path: 'a.ts', source: left }])
  expect(findings.map(({ line }) => line)).toEqual([2, 6])
  expect(conflictFindings([{ path: 'a.ts', source: 'a <<<<<<< b\n=======\n' }])).toEqual([])
})
