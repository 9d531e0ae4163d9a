import { describe, expect, it } from 'vitest'
import { SharedBudget } from '../src/node/shared-budget.js'

function senders(...names: string[]): { dropped: string[]; of: (name: string) => { drop: () => void } } {
  const dropped: string[] = []
  const all = new Map(names.map((name) => [name, { drop: () => void dropped.push(name) }]))
  return { dropped, of: (name) => all.get(name)! }
}

describe('the budget of unsent data', () => {
  it('drops the connection that holds most once all together hold too much', () => {
    const { dropped, of } = senders('a', 'b', 'c')
    const budget = new SharedBudget(100)
    budget.holds(of('a'), 30)
    budget.holds(of('b'), 60)
    budget.holds(of('c'), 10)
    expect(dropped).toEqual([])
    budget.holds(of('c'), 11)
    expect(dropped).toEqual(['b'])
    budget.holds(of('c'), 60)
    expect(dropped).toEqual(['b'])
  })

  it('counts what was sent, and what ended, no longer', () => {
    const { dropped, of } = senders('a', 'b')
    const budget = new SharedBudget(100)
    for (let round = 0; round < 10; round += 1) {
      budget.holds(of('a'), 90)
      budget.holds(of('a'), 0)
      budget.holds(of('b'), 50)
      budget.holds(of('b'), 10)
    }
    expect(dropped).toEqual([])
  })
})
