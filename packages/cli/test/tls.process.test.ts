import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fingerprintOf } from '@orrery/aip/node'
import { afterAll, describe, expect, it } from 'vitest'
import { Certificates } from '../../../test/support/certificates.js'
import { hasPrograms } from '../../../test/support/has-programs.js'
import { OrreryHome } from '../../../test/support/orrery-process.js'
import { joinLines } from '../src/running/join-lines.js'

const made = new Certificates()
afterAll(() => made[Symbol.dispose]())

/** A home whose server has TLS with these files. */
function homeWith(cert: string, key: string): OrreryHome {
  const home = new OrreryHome()
  writeFileSync(join(home.path, 'server.yaml'), JSON.stringify({ tls: { cert, key } }))
  return home
}

function keyOf({ path }: OrreryHome, file: string): string {
  return readFileSync(join(path, file), 'utf8').trim()
}

const quick = ['--max-retries', '1', '--log-level', 'OFF']

describe.runIf(hasPrograms('openssl'))('a server with a certificate of its own', () => {
  it('is trusted by its device and by the commands of its machine, and elsewhere with --ca, --fingerprint or device.jsonc', async () => {
    const own = made.selfSigned('own')
    await using home = homeWith(own.certFile, own.keyFile)
    const up = await home.up()
    const [, address = ''] = await up.said(/ready at (https:\S+)/)
    const here = await home.run('devices')
    expect([here.stderr, here.stdout]).toEqual(['', expect.stringContaining('online') as unknown])
    expect((await home.run('devices', '--server', address)).code).toBe(0)
    const second = home.start('device', '--client-id', 'second')
    await second.said(/second is connected to wss:/)

    await using other = new OrreryHome({ ORRERY_API_KEY: keyOf(home, 'operator.key') })
    const refused = await other.run('devices', '--server', address)
    expect([refused.code, refused.stderr]).toEqual([
      1,
      `orrery: No secure connection to ${address}: its certificate is signed by no authority that is trusted here: pass --ca FILE with the certificate of its authority, or --fingerprint, which 'orrery up' prints there\n`,
    ])
    const fingerprint = fingerprintOf(own.cert)
    for (const flags of [
      ['--ca', own.certFile],
      ['--fingerprint', fingerprint],
    ])
      expect((await other.run('devices', '--server', address, ...flags)).stdout).toContain('second')
    const wrong = await other.run('devices', '--server', address, '--fingerprint', `sha256:${'0'.repeat(64)}`)
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('has another fingerprint') as unknown])

    await using lab = new OrreryHome({ ORRERY_API_KEY: keyOf(home, 'device.key') })
    const dialled = ['device', '--client-id', 'lab', '--ws-server', address.replace('https', 'wss')]
    const untrusted = await lab.run(...dialled, ...quick)
    expect([untrusted.code, untrusted.stderr]).toEqual([
      1,
      expect.stringMatching(/Cannot reach .*signed by no authority.*pass --ca FILE/),
    ])
    const pinned = lab.start(...dialled, '--fingerprint', fingerprint)
    await pinned.said(/lab is connected/)
    await pinned.kill('SIGTERM')
    writeFileSync(join(lab.path, 'own.pem'), own.cert)
    writeFileSync(join(lab.path, 'device.jsonc'), JSON.stringify({ ca: 'own.pem' }))
    await lab.start(...dialled).said(/lab is connected/)
  })

  it.each([
    ['a certificate that is none', 'none.pem', 'own.key', /tls\.cert: \S+none\.pem is not a certificate in PEM/],
    ['a key that is none', 'own.pem', 'none.pem', /tls\.key: \S+none\.pem is not a private key in PEM/],
    [
      'the key of another',
      'own.pem',
      'another.key',
      /tls\.key: \S+another\.key is not the key of the certificate in \S+own\.pem/,
    ],
    ['a file that is missing', 'gone.pem', 'own.key', /tls\.cert: cannot read the file: ENOENT/],
  ])('does not start with %s, and says which file is wrong', async (_case, cert, key, text) => {
    made.selfSigned('own')
    made.selfSigned('another')
    writeFileSync(join(made.folder, 'none.pem'), 'no PEM')
    await using home = homeWith(join(made.folder, cert), join(made.folder, key))
    const { code, stderr } = await home.run('server', '--port', '0')
    expect([code, stderr]).toEqual([2, expect.stringMatching(text)])
  })
})

describe('the flags for certificates', () => {
  it.each([
    [['--ca', 'x', '--fingerprint', 'y'], 'https://x.invalid', /not both/],
    [['--ca', 'none.pem'], 'https://x.invalid', /Cannot use none\.pem for --ca: ENOENT/],
    [['--fingerprint', 'abc'], 'https://x.invalid', /'abc': a fingerprint is sha256: and 64 digits/],
    [['--fingerprint', 'abc'], 'http://127.0.0.1:1', /http:\/\/127\.0\.0\.1:1 is not encrypted/],
  ])('are checked: %j for %s', async (flags, server, text) => {
    await using home = new OrreryHome()
    const { code, stderr } = await home.run('devices', '--server', server, ...flags)
    expect([code, stderr]).toEqual([2, expect.stringMatching(text)])
  })

  it('do not help where there is no TLS, which the error says', async () => {
    await using home = new OrreryHome()
    const up = await home.up()
    const [, address = ''] = await up.said(/ready at http(:\S+)/)
    const { code, stderr } = await home.run('devices', '--server', `https${address}`)
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/it does not speak TLS at this port: does its address begin with http:\/\//),
    ])
    const device = await home.run('device', '--client-id', 'x', '--ws-server', `wss${address}/ws`, ...quick)
    expect([device.code, device.stderr]).toEqual([1, expect.stringMatching(/it does not speak TLS at this port/)])
  })
})

describe('the line for another machine', () => {
  const facts = { host: 'orrery.example', port: 5000, deviceKey: 'KEY', hasPackage: true }
  const text = (more: { secure: boolean; pin: { fingerprint: string; publicKey: string } | null }): string =>
    joinLines({ ...facts, ...more })
      .map(String)
      .join('\n')

  it('has what is needed to trust the server, and nothing more', () => {
    const pin = { fingerprint: 'sha256:12', publicKey: 'sha256//34=' }
    expect(text({ secure: false, pin: null })).toContain(
      '-p http://orrery.example:5000/orrery-device.tgz orrery device --ws-server ws://orrery.example:5000/ws\n',
    )
    expect(text({ secure: true, pin: null })).toContain(
      '-p https://orrery.example:5000/orrery-device.tgz orrery device --ws-server wss://orrery.example:5000/ws\n',
    )
    const pinned = text({ secure: true, pin })
    expect(pinned).toContain("curl -fsSOk --pinnedpubkey 'sha256//34=' https://orrery.example:5000/orrery-device.tgz\n")
    expect(pinned).toContain(
      '-p ./orrery-device.tgz orrery device --ws-server wss://orrery.example:5000/ws --fingerprint sha256:12\n',
    )
  })
})
