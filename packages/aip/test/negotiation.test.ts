import { anything, assert, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIMITS, agreementIn, offerIn } from '../src/index.js'

describe('what is negotiated at registration', () => {
  it('is nothing with a peer that offers nothing', () => {
    for (const metadata of [null, undefined, 'text', {}, { aip: null }, { aip: [] }, { aip: 'yes' }]) {
      expect(offerIn(metadata)).toBeNull()
      expect(agreementIn(metadata)).toBeNull()
    }
  })

  it('keeps the features that are known and ignores the others', () => {
    const features = ['journal', 'teleport', 7, null, 'concurrent']
    expect(offerIn({ aip: { version: 1, features } })?.features).toEqual(['journal', 'concurrent'])
    expect(agreementIn({ aip: { version: 1, features } })?.features).toEqual(['journal', 'concurrent'])
  })

  it('reads an offer or an agreement with one bad field without that field', () => {
    const offer = { version: 2, features: ['resume'], resume_token: 5, max_frame: 'large', more: true }
    expect(offerIn({ aip: offer })).toEqual({ version: 1, features: ['resume'], resume_token: null, max_frame: null })
    const agreement = {
      features: 'all',
      heartbeat_ms: -1,
      resume_token: 'T',
      session_id: 1,
      session_ids: 'S',
      transfer_key: null,
    }
    expect(agreementIn({ aip: agreement })).toEqual({
      version: 1,
      features: [],
      heartbeat_ms: LIMITS.resumeSilence,
      resume_token: 'T',
      session_id: null,
      session_ids: null,
      transfer_key: null,
    })
  })

  it('ignores a largest frame that would not hold a registration', () => {
    expect(offerIn({ aip: { features: [], max_frame: 100 } })?.max_frame).toBeNull()
    expect(offerIn({ aip: { features: [], max_frame: LIMITS.deviceFrame } })?.max_frame).toBe(LIMITS.deviceFrame)
  })

  it('never fails, whatever a peer sends', () => {
    assert(
      property(anything(), (aip) => {
        offerIn({ aip })
        agreementIn({ aip })
      }),
    )
  })
})
