import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DeviceRig } from './device-rig.ts'
import { intrude } from './intruder.ts'
import { CONNECTION_RECORDS, type Kind } from './kinds.ts'
import { constellationNotReading, deviceNotReading, streamNotReading } from './not-reading.ts'
import type { Fault } from './plan.ts'
import type { Program } from './program.ts'
import type { Tasks } from './tasks.ts'
import { cutFrame, delayResults, forgeResults, repeatResults } from './taps.ts'
import type { World } from './world.ts'

/** A named point that is not reached within this time is given up, in milliseconds. */
const POINT_TIME = 8000
/** A disk must be full so long that something is written, in milliseconds. */
const FULL_TIME = 700
/** An intruder that was let in shuts the device out of its sessions until it has registered again, in milliseconds. */
const INTRUSION_TIME = 5000

/** Injects one fault and waits until it is over. @returns whether it could be done */
type Injector = (fault: Fault, device: DeviceRig, world: World, tasks: Tasks) => Promise<boolean>

const INJECTORS: Record<Kind, Injector> = {
  drop: (_fault, { proxy }) => done(proxy.cut('fin')),
  reset: (_fault, { proxy }) => done(proxy.cut('reset')),
  'blackhole-to-server': (_fault, { proxy }) => done(proxy.blackhole('to-server')),
  'blackhole-to-device': (_fault, { proxy }) => done(proxy.blackhole('to-device')),
  'blackhole-both': (_fault, { proxy }) => done(proxy.blackhole('to-server', 'to-device')),
  async delay({ delayMs, durationMs }, { proxy }) {
    proxy.delayMs = 20 + delayMs
    await sleep(durationMs)
    proxy.delayMs = 0
    return true
  },
  async stall({ durationMs }, { proxy }) {
    const gate = Promise.withResolvers<void>()
    proxy.stalled = gate.promise
    await sleep(durationMs)
    gate.resolve()
    return true
  },
  'cut-to-server': (_fault, { proxy }) => cutFrame(proxy, 'to-server'),
  'cut-to-device': (_fault, { proxy }) => cutFrame(proxy, 'to-device'),
  'results-twice': (_fault, { proxy }) => repeatResults(proxy),
  'results-late': ({ delayMs }, { proxy }) => delayResults(proxy, delayMs),
  'results-forged': (fault, { proxy }, { devices }) => {
    const other = devices[(fault.device + 1) % devices.length]
    return other === undefined ? Promise.resolve(false) : forgeResults(proxy, other.proxy, other.id)
  },
  async intruder({ duringCommand, durationMs }, device, { server }) {
    // While the device is away in half of the cases. Its id is not given away in either, so nothing is excused unless the intruder is let in.
    const gate = Promise.withResolvers<void>()
    if (duringCommand) {
      device.proxy.stalled = gate.promise
      device.proxy.cut('reset')
    }
    const trouble = { kind: 'intruder' as const, from: Date.now(), to: Infinity }
    const letIn = (): void => {
      if (!device.troubles.includes(trouble)) device.troubles.push(trouble)
    }
    await intrude(`ws://127.0.0.1:${server.port}/ws?token=${server.key}`, device.id, durationMs, letIn)
    gate.resolve()
    trouble.to = Date.now() + INTRUSION_TIME
    return true
  },
  'constellation-not-reading': constellationNotReading,
  'stream-not-reading': streamNotReading,
  'device-not-reading': deviceNotReading,
  'device-killed': async ({ awayMs }, device) => {
    await device.kill()
    await sleep(awayMs)
    device.start()
    return true
  },
  'device-killed-at-point': async (fault, device) => {
    const struck = await strike('SIGKILL', fault, device.point, device.program, device)
    if (!struck) return false
    device.died()
    await sleep(fault.awayMs)
    device.start()
    return true
  },
  'device-stopped': (fault, { program }) => pause(program, fault.durationMs),
  'device-stopped-at-point': async (fault, device) => {
    const { program } = device
    return (await strike('SIGSTOP', fault, device.point, program, device)) && letGo(program, fault.durationMs)
  },
  'device-disk-full': (_fault, { disk, troubles }) => fill(disk, troubles),
  'server-killed': async ({ awayMs }, _device, { server }) => {
    await server.program.kill()
    await sleep(awayMs)
    await server.start()
    return true
  },
  'server-killed-at-point': async (fault, device, { server }) => {
    if (!(await strike('SIGKILL', fault, server.point, server.program, device))) return false
    await sleep(fault.awayMs)
    await server.start()
    return true
  },
  'server-told-to-stop': async ({ awayMs }, _device, { server }) => {
    server.program.signal('SIGTERM')
    await server.program.ended
    await sleep(awayMs)
    await server.start()
    return true
  },
  'server-stopped': (fault, _device, { server }) => pause(server.program, fault.durationMs),
  'server-stopped-at-point': async (fault, device, { server }) =>
    (await strike('SIGSTOP', fault, server.point, server.program, device)) && letGo(server.program, fault.durationMs),
  'both-killed': ({ awayMs }, device, { server }) =>
    device.turns.run(async () => {
      await Promise.all([server.program.kill(), device.kill()])
      await sleep(awayMs)
      device.start()
      await server.start()
      return true
    }),
  'server-disk-full': (_fault, _device, { server }) => fill(server.disk, server.troubles),
}

/** Does one fault. @returns whether it could be done */
export function inject(fault: Fault, world: World, tasks: Tasks): Promise<boolean> {
  const device = world.devices[fault.device]
  if (device === undefined) return Promise.resolve(false)
  const work = (): Promise<boolean> => INJECTORS[fault.kind](fault, device, world, tasks)
  // Only one at a time has a device's process or disk in hand.
  return fault.kind.startsWith('device') ? device.turns.run(work) : work()
}

/** Has a process struck at the named moment. @returns whether it came to that moment */
async function strike(signal: string, fault: Fault, point: string, program: Program, device: DeviceRig): Promise<boolean> {
  writeFileSync(point, `${signal} ${fault.moment}`)
  if (CONNECTION_RECORDS.has(fault.record)) device.proxy.cut('fin')
  const limit = Date.now() + POINT_TIME
  while (existsSync(point) && Date.now() < limit) await sleep(5)
  const struck = !existsSync(point)
  rmSync(point, { force: true })
  // It may be about to be struck: it has read the file.
  if (!struck) await sleep(500)
  if (!struck && signal === 'SIGSTOP') program.signal('SIGCONT')
  if (signal === 'SIGKILL' && (struck || !program.alive)) await program.ended
  return struck || !program.alive
}

async function pause(program: Program, ms: number): Promise<boolean> {
  program.signal('SIGSTOP')
  await sleep(ms)
  program.signal('SIGCONT')
  return true
}

/** Lets a process continue that stops itself. It does so a moment after it was found to be struck: a SIGCONT before that would be lost. */
async function letGo(program: Program, ms: number): Promise<boolean> {
  for (let tries = 0; tries < 400 && program.alive && !program.isStopped; tries += 1) await sleep(5)
  await sleep(ms)
  program.signal('SIGCONT')
  return true
}

async function fill(disk: DeviceRig['disk'], troubles: DeviceRig['troubles']): Promise<boolean> {
  const trouble = { kind: 'full' as const, from: Date.now(), to: Infinity }
  troubles.push(trouble)
  const filled = disk.fill()
  if (filled) await sleep(FULL_TIME)
  disk.free()
  trouble.to = Date.now()
  return filled
}

function done(_work: void): Promise<boolean> {
  return Promise.resolve(true)
}
