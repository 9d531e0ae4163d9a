import { describe, expect, it } from 'vitest'
import { sizeFindings } from '../../scripts/lint/sizes.ts'

function found(path: string, source: string): string[] {
  return sizeFindings([{ path, source }]).map(({ text }) => text)
}
const members = (count: number, more = ''): string =>
  `export class A { constructor() {} ${Array.from({ length: count }, (_, n) => `m${n}() {}`).join(' ')} ${more} }`

describe('the check of sizes', () => {
  it('refuses a file of more than 350 lines, except tables', () => {
    expect(found('packages/x/src/a.ts', 'x\n'.repeat(350))).toEqual([])
    expect(found('packages/x/src/a.ts', 'x\n'.repeat(351))).toEqual(['has 351 lines; 350 are the most'])
    expect(found('packages/aip/src/messages/to-client.ts', 'x\n'.repeat(351))).toEqual([])
  })

  it('refuses a class with more than 15 public members; what is private does not count, an accessor counts once', () => {
    const more = '#a = 1; #b() {} private c = 1; get m1() { return 1 } set m1(value) {}'
    expect(found('packages/x/src/a.ts', members(15, more))).toEqual([])
    expect(found('packages/x/src/a.ts', members(15, 'static one = 1'))).toEqual([
      'the class has 16 public members; 15 are the most',
    ])
  })
})
