import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '../faults/random.ts'
import type { Attack } from './attack.ts'
import { Findings } from './findings.ts'
import { startHostileModel } from './hostile-model.ts'
import { KINDS } from './kinds.ts'
import { Probe, type Probed } from './probe.ts'
import { ServerProcess } from './server-process.ts'

/** What a run does. */
export interface FuzzOptions {
  seconds: number
  seed: number
  /** Names of kinds. */
  kinds: readonly string[]
}

/** What a run has found. */
export interface FuzzReport {
  counts: ReadonlyMap<string, number>
  found: readonly string[]
  /** The answers of `/healthz` during the attacks, and the timers of the process that asked. */
  probed: Probed
  /** How much heap and external memory of the server has grown, in bytes, after a collection. */
  grown: number
}

/** Attacks a real server and real devices for a while, all kinds at once. The same seed tries the same things. */
export async function runFuzz({ seconds, seed, kinds }: FuzzOptions): Promise<FuzzReport> {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-fuzz-'))
  const findings = new Findings()
  const model = await startHostileModel(new Random(seed))
  const server = await ServerProcess.start(findings, { FUZZ_DATA_DIR: join(folder, 'server'), FUZZ_MODEL_URL: model.url })
  const attacks: [string, Attack][] = []
  try {
    for (const [index, kind] of kinds.entries()) {
      const make = KINDS[kind]
      if (make === undefined) throw new Error(`there is no kind '${kind}'; there are: ${Object.keys(KINDS).join(', ')}`)
      attacks.push([kind, await make({ random: new Random(seed * 1000 + index), findings, server, folder })])
    }
    // What a server keeps once it has worked does not count, so a first round of all comes before the first look.
    for (const [kind, attack] of attacks) await once(kind, attack)
    const before = (await server.memory()) ?? 0
    const probe = new Probe(server.url)
    const until = performance.now() + seconds * 1000
    await Promise.all(
      attacks.map(async ([kind, attack]) => {
        while (performance.now() < until && !server.ended) await once(kind, attack)
      }),
    )
    const probed = await probe.end()
    await server.checkAlive('server')
    for (const [, attack] of attacks) await attack.end()
    attacks.length = 0
    const after = (await server.memory()) ?? 0
    return { counts: findings.counts, found: findings.found, probed, grown: after - before }
  } finally {
    for (const [, attack] of attacks) await attack.end()
    await server.stop()
    model.server.closeAllConnections()
    model.server.close()
    rmSync(folder, { recursive: true, force: true })
  }

  async function once(kind: string, attack: Attack): Promise<void> {
    try {
      await attack.round()
    } catch (error) {
      // A server that has ended is a finding already.
      if (!server.ended) findings.add(kind, error instanceof Error ? `${error.stack}` : String(error))
    }
  }
}
