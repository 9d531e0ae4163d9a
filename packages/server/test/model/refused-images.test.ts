import { describe, expect, it } from 'vitest'
import type { Json } from '../../../../test/support/wire-client.js'
import { longerSide } from '../../src/agents/model/image-side.js'
import { startModelRig, tool } from '../support/model-rig.js'
import { caseAnswers, replyOf, type RecordedAnswer } from './cases/read-case.js'

/** The beginning of a PNG of this size, with something after it. */
function png(width: number, height: number, more = 0): string {
  const header = Buffer.alloc(33 + more)
  header.write('\x89PNG\r\n\x1A\n', 'latin1')
  header.writeUInt32BE(13, 8)
  header.write('IHDR', 12, 'latin1')
  header.writeUInt32BE(width, 16)
  header.writeUInt32BE(height, 20)
  return header.toString('base64')
}

const SMALL = png(100, 80)
const WIDE = png(9000, 20)
const HEAVY = png(200, 200, 9000)
const uri = (data: string): string => `data:image/png;base64,${data}`

const REFUSALS = caseAnswers('image-refusals.json')
const MORE: RecordedAnswer[] = [
  { status: 500, body: { error: 'this model is missing data required for image input' } },
  { status: 400, body: { error: { message: 'Could not process image' } } },
  { status: 400, body: { error: { message: 'unsupported content', type: 'invalid_request_error' } } },
  { status: 422, body: { detail: [{ loc: ['body', 'messages', 3, 'content'], msg: 'str type expected' }] } },
  { status: 400, body: { error: { message: 'messages[3].content must be a string' } } },
  { status: 404, body: { error: { message: 'No endpoints found that support vision' } } },
  { status: 413, body: { error: { message: 'image is larger than 20 MB' } } },
]

function imagesIn(body: Json): string[] {
  return [...JSON.stringify(body).matchAll(/data:image\/png;base64,([\w+/=]+)/g)].map(([, data]) => data ?? '')
}

describe('an image that an endpoint refuses is left out, and the task continues', () => {
  it.each([...REFUSALS, ...MORE].map((refusal) => [JSON.stringify(refusal), refusal] as const))('%s', async (_words, refusal) => {
    await using rig = await startModelRig({
      script: ({ turn, body }) => {
        if (turn === 0) return { calls: [{ tool: 'shoot' }] }
        return imagesIn(body).length > 0 ? replyOf(refusal) : { text: 'blind' }
      },
      tools: [tool('shoot')],
      answers: { shoot: () => uri(SMALL) },
    })
    expect(await rig.run('look')).toMatchObject({ status: 'completed', result: 'blind' })
    expect(rig.model.requests.at(-1)?.text).toContain('[image left out]')
    expect(rig.model.requests).toHaveLength(3)
  })

  it.each<[string, number, string[], (data: string) => boolean]>([
    ['of the largest size in bytes', 0, [SMALL, WIDE], (data) => data === HEAVY],
    ['of the largest size in pixels', 1, [SMALL, HEAVY], (data) => data === WIDE],
  ])('only the one %s, if that is what is wrong', async (_case, index, left, isRefused) => {
    await using rig = await startModelRig({
      script: ({ turn, body }) => {
        if (turn === 0) return { calls: [{ tool: 'small' }, { tool: 'wide' }, { tool: 'heavy' }] }
        const refusal = REFUSALS[index]
        return imagesIn(body).some(isRefused) && refusal !== undefined ? replyOf(refusal) : { text: 'seen' }
      },
      tools: ['small', 'wide', 'heavy'].map((name) => tool(name)),
      answers: { small: () => uri(SMALL), wide: () => uri(WIDE), heavy: () => uri(HEAVY) },
    })
    expect(await rig.run('look')).toMatchObject({ status: 'completed', result: 'seen' })
    expect(imagesIn(rig.model.requests.at(-1)?.body ?? {}).toSorted()).toEqual(left.toSorted())
  })

  it('a refusal that images are not the cause of is reported as it is, after one more try', async () => {
    await using rig = await startModelRig({
      script: ({ turn }) => (turn === 0 ? { calls: [{ tool: 'shoot' }] } : { status: 400, error: 'strange' }),
      tools: [tool('shoot')],
      answers: { shoot: () => uri(SMALL) },
    })
    const session = await rig.run('look')
    expect(session).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/refused the request: 400 strange/) as string,
    })
    expect(rig.model.requests).toHaveLength(3)
  })
})

describe('the longer side of an image', () => {
  const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000ffc0001108012c01900301', 'hex').toString('base64')
  const gif = Buffer.from('474946383961900101000000', 'hex').toString('base64')
  it.each([
    ['a PNG', png(300, 400), 400],
    ['a JPEG', jpeg, 400],
    ['a GIF', gif, 400],
    ['something else', 'aGk=', null],
    ['nothing', '', null],
  ])('is read from %s', (_kind, data, side) => expect(longerSide({ mediaType: 'image/x', data })).toBe(side))
})
