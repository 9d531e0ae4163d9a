import { LIMITS } from '@orrery/aip'
import { DEVICE_KEY, OPERATOR_KEY } from '../../support/test-server.ts'
import { settle, type ManualClock } from '../../support/manual-clock.ts'
import { WireClient, type Json } from '../../support/wire-client.ts'
import type { ActingDevice } from '../acting-device.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

const RESUMING = ['journal', 'resume', 'cancel', 'progress', 'ask', 'concurrent']
/** More than a record holds itself. */
const LARGE = 'all work and no play makes a dull log; '.repeat(1800)

const commands = (...tools: string[]) => ({
  commands: tools.map((tool_name) => ({ tool_name, parameters: { text: tool_name } })),
})
const begin =
  (...tools: string[]) =>
  (world: World) =>
    world.start(commands(...tools))
const beside = (wanted: Json) => (world: World) => {
  void world.server.api('/api/devices/d1/commands', wanted).catch(() => {})
  return Promise.resolve()
}
const graceIsOver = (world: World) => world.clock.advance(LIMITS.resumeGrace)

const DONE = { status: 'success', error: null, result: 'ok', namespace: 'lab', call_id: null }
/** What a device answers that is asked for a file again after a restart. */
const LOST = { status: 'failure', error: 'the transfer is not known', result: null, namespace: 'lab', call_id: null }

/** Sends the half of a file, then its connection breaks. */
async function cutTransfer(device: ActingDevice, command: Json, clock: ManualClock): Promise<void> {
  const [action] = command['actions'] as [{ parameters: Json }]
  const url = `${device.url}/ws/transfers/${String(action.parameters['transfer_id'])}?token=${DEVICE_KEY}`
  const transfer = await WireClient.open(url, { 'x-orrery-transfer-key': device.transferKey })
  transfer.sendRaw(JSON.stringify({ type: 'file_transfer_start', filename: 'big.bin', size: 6, chunk_size: 2, total_chunks: 3 }))
  transfer.sendRaw(Buffer.from('ab'))
  transfer.terminate()
  while (!clock.waits.includes(LIMITS.transferEnd)) await settle()
  await clock.advance(LIMITS.transferEnd)
}

/** Sessions of direct commands, and what devices do to them. */
export const COMMANDS: readonly Scenario[] = [
  {
    name: 'commands-completed',
    about: 'Two commands of an operator, both done',
    device: { features: RESUMING, answers: { first: { give: { lines: ['one', 'two'], count: 2 } }, second: { give: '' } } },
    begin: begin('first', 'second'),
  },
  {
    name: 'commands-failed',
    about: 'The first command fails and the second is skipped',
    device: { features: RESUMING, answers: { first: { fail: 'the disk is full' } } },
    begin: begin('first', 'second'),
  },
  {
    name: 'commands-timed-out',
    about: 'A command with a limit of its own that the device does not answer in time',
    device: { answers: { slow: { never: true } } },
    begin: beside({ ...commands('slow'), timeout_ms: 5000 }),
    reactions: [{ after: 'commands_sent', until: 'results_received', act: (world) => world.clock.advance(5000) }],
    continued: { device: { features: RESUMING, answers: { slow: { never: true } } } },
  },
  {
    name: 'commands-concurrent',
    about: 'A command that runs beside what else the device does',
    device: { features: RESUMING, answers: { look: { give: ['seen'] } } },
    begin: beside({ ...commands('look'), concurrent: true }),
  },
  {
    name: 'commands-large-value',
    about: 'A result that is stored outside of its records',
    device: { features: RESUMING, answers: { read: { give: { text: LARGE } } } },
    begin: begin('read'),
  },
  {
    name: 'commands-approved',
    about: 'A call that the owner of the device is asked about, and allows',
    device: { features: RESUMING, answers: { risky: { asks: true } } },
    begin: begin('risky'),
    reactions: [{ after: 'approval', until: 'results_received', act: (world) => decide(world, 'allow') }],
  },
  {
    name: 'commands-denied',
    about: 'A call that the owner of the device is asked about, and denies',
    device: { features: RESUMING, answers: { risky: { asks: true, fail: 'Denied by the owner of the device' } } },
    begin: begin('risky'),
    reactions: [{ after: 'approval', until: 'results_received', act: (world) => decide(world, 'deny') }],
  },
  {
    name: 'commands-cancelled',
    about: 'Cancelled by its user while a command runs',
    device: { features: RESUMING, answers: { slow: { never: true } } },
    begin: begin('slow'),
    reactions: [{ after: 'commands_sent', until: 'ended', act: (world) => world.post('cancel') }],
  },
  {
    name: 'commands-device-resumes',
    about: 'The device drops and comes back, and the session continues',
    device: { features: RESUMING, answers: { slow: { after: 'resumed', give: 'back again' } } },
    begin: begin('slow'),
    reactions: [
      { after: 'commands_sent', until: 'paused', act: (world) => world.dropDevice() },
      { after: 'paused', until: 'resumed', act: (world) => world.connectDevice() },
    ],
    continued: { device: { features: RESUMING, answers: { slow: { give: 'back again' } } }, reactions: [] },
  },
  {
    name: 'commands-device-stays-away',
    about: 'The device drops and does not come back in time',
    device: { features: RESUMING, answers: { slow: { never: true } }, returns: false },
    begin: begin('slow'),
    reactions: [
      { after: 'commands_sent', until: 'paused', act: (world) => world.dropDevice() },
      { after: 'paused', until: 'ended', act: graceIsOver },
    ],
    continued: { reactions: [{ after: 'accepted', until: 'ended', act: graceIsOver }], session: { agent: null } },
  },
  {
    name: 'commands-device-disconnected',
    about: 'A device that cannot resume drops',
    device: { answers: { slow: { never: true } }, returns: false },
    begin: begin('slow'),
    reactions: [{ after: 'commands_sent', until: 'ended', act: (world) => world.dropDevice() }],
    continued: { reactions: [{ after: 'accepted', until: 'ended', act: graceIsOver }], session: { agent: null } },
  },
  {
    name: 'commands-server-restarted',
    about: 'The server is stopped while a command runs, and the next start continues the session',
    device: { features: RESUMING, answers: { slow: { after: 'paused', give: 'kept' } } },
    begin: begin('slow'),
    reactions: [{ after: 'commands_sent', until: 'paused', act: (world) => world.restart() }],
    continued: { device: { features: RESUMING, answers: { slow: { give: 'kept' } } }, reactions: [] },
  },
  {
    name: 'commands-server-stopping',
    about: 'A server that keeps nothing is stopped while a command runs',
    inMemory: true,
    device: { features: RESUMING, answers: { slow: { never: true } } },
    begin: begin('slow'),
    reactions: [{ after: 'commands_sent', until: 'ended', act: (world) => world.server.server.stop() }],
    continued: {
      device: { features: RESUMING },
      reactions: [],
      session: { status: 'completed', error: null, result: [DONE] },
      otherRecords: true,
    },
  },
  {
    name: 'commands-transfer-cut',
    about: 'A file from the device whose connection is lost in the middle',
    device: { features: ['files', 'cancel'], onCommand: cutTransfer },
    begin: (world) => {
      const headers = { 'x-api-key': OPERATOR_KEY }
      void fetch(`${world.server.url}/api/devices/d1/files?path=/data/big.bin`, { headers }).catch(() => {})
      return Promise.resolve()
    },
    continued: {
      device: { features: RESUMING, answers: { send_file: { fail: LOST.error } } },
      session: { error: LOST.error, result: [LOST] },
      otherRecords: true,
    },
  },
]

async function decide(world: World, decision: 'allow' | 'deny'): Promise<void> {
  for (;;) {
    const { body } = await world.server.api('/api/asks')
    const [ask] = body['asks'] as Json[]
    if (ask === undefined) continue
    await world.server.api(`/api/asks/${String(ask['ask_id'])}`, { decision })
    return
  }
}
