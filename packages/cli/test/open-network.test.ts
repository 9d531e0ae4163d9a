import { describe, expect, it } from 'vitest'
import { withoutKeys } from '../src/running/hide-keys.js'
import { refuseOpenNetwork } from '../src/settings/open-network.js'

describe('an address without encryption', () => {
  it.each([
    'ws://127.0.0.1:5000/ws',
    'ws://localhost/ws',
    'http://[::1]:5000',
    '10.1.2.3:5000',
    'ws://172.31.0.1/ws',
    'ws://192.168.1.2/ws',
    'http://100.100.1.1',
    'ws://[fd00::1]/ws',
    'ws://169.254.3.4/ws',
    'ws://[::ffff:10.0.0.1]/ws',
    'wss://192.0.2.1/ws',
    'https://example.com',
    'ws://no-such-host-here/ws',
    'not an address',
  ])('%s is taken', (address) => expect(refuseOpenNetwork(address)).resolves.toBeUndefined())

  it.each([
    'ws://192.0.2.1/ws',
    'http://203.0.113.9:5000',
    '203.0.113.9',
    'ws://172.32.0.1/ws',
    'ws://[2001:db8::1]/ws',
    'ws://x.invalid/ws',
    'ws://[::ffff:192.0.2.1]/ws',
    'ws://3221225985/ws',
  ])('%s is refused', (address) => expect(refuseOpenNetwork(address)).rejects.toThrow('--insecure'))
})

describe('a command line with keys', () => {
  it('has none in the list of processes', () => {
    const words = [
      'device',
      '--token',
      'k1',
      '--api-key=k2',
      '--ws-server',
      'ws://h/ws?a=1&token=k3&b=2#c',
      '--request',
      'token=x',
    ]
    expect(withoutKeys(words)).toEqual([
      'device',
      '--token',
      '***',
      '--api-key=***',
      '--ws-server',
      'ws://h/ws?a=1&token=***&b=2#c',
      '--request',
      'token=x',
    ])
  })
})
