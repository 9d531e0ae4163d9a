import type { McpServerStatus } from '@orrery/aip'
import type { Device } from '@orrery/aip/api'
import { Command } from 'commander'
import { examples } from '../terminal/help.js'
import { orrery } from '../terminal/invocation.js'
import { age, shortId } from '../terminal/format.js'
import type { Line, Painted, Style } from '../terminal/painted.js'
import { type Cell, details, table } from '../terminal/table.js'
import { print, printJson } from '../terminal/write.js'
import { type TargetOptions, connect, withTarget } from '../settings/target.js'

/** The colour of a device's status. */
const STYLES: Record<Device['status'], Style> = { online: 'green', busy: 'yellow', offline: 'dim' }

/** `orrery devices`: what is, or was, connected. */
export function devicesCommand(): Command {
  const command = new Command('devices')
    .summary('list the devices')
    .description('Lists the devices that are, or were, connected.')
    .option('-v, --verbose', 'show what each device tells about itself')
  return withTarget(command)
    .addHelpText(
      'after',
      examples([
        ['orrery devices', 'one line a device'],
        ['orrery devices --verbose', 'system, features and MCP servers too'],
        ["orrery devices --json | jq '.devices[].device_id'", 'for programs'],
      ]),
    )
    .action(listDevices)
    .addCommand(forgetCommand())
}

/** `orrery devices forget`: frees an id. */
function forgetCommand(): Command {
  const command = new Command('forget')
    .summary('forget a device, so that another one may have its id')
    .description(
      'Forgets a device. Until then only the device that has its resume token can use its id. Its sessions end and its connection is closed.',
    )
    .argument('<device>', 'the id of the device')
  return withTarget(command)
    .addHelpText('after', examples([['orrery devices forget lab-pc', 'its machine was reinstalled: it may register again']]))
    .action(async (id: string, options: TargetOptions) => {
      await (await connect(options)).devices.forget(id)
      if (options.json) printJson({ device_id: id, forgotten: true })
      else print(`Device ${id} is forgotten; the next device that registers as ${id} has this id`)
    })
}

async function listDevices(options: TargetOptions & { verbose?: boolean }): Promise<void> {
  const devices = await (await connect(options)).devices.list()
  if (options.json) return printJson({ devices })
  if (devices.length === 0) return print(`No device is connected. Start one with: ${orrery('device')}`)
  const lines = options.verbose ? devices.flatMap((device, index) => block(device, index)) : list(devices)
  for (const line of lines) print(line)
}

function list(devices: readonly Device[]): Painted[] {
  const rows = devices.map((device) => [
    device.device_id,
    { text: device.status, style: STYLES[device.status] },
    device.platform,
    sinceWhen(device),
    device.current_session_id === null ? '' : shortId(device.current_session_id),
  ])
  return table(['DEVICE', 'STATUS', 'PLATFORM', 'SINCE', 'SESSION'], rows, [0, 4])
}

/** For how long it has been connected, or away. */
function sinceWhen({ status, connected_at: connected, last_seen_at: seen }: Device): string {
  const time = status === 'offline' ? seen : connected
  return time === null ? '' : age(time)
}

function block(device: Device, index: number): Line[] {
  const info = Object.entries(device.system_info ?? {}).filter(([name]) => name !== 'device_id' && name !== 'platform')
  const lines = details([
    ['device', { text: device.device_id, style: 'bold' }],
    ['status', { text: device.status, style: STYLES[device.status] }],
    ['platform', device.platform],
    ['connected', device.connected_at],
    ['last seen', device.last_seen_at],
    ['session', device.current_session_id],
    ['features', device.features.join(', ')],
    ...(device.mcp_servers ?? []).map((server, index) => [index === 0 ? 'MCP servers' : '', describeServer(server)] as const),
    ...info.map(([name, value]) => [name, inWords(value)] as const),
  ])
  return index === 0 ? lines : ['', ...lines]
}

function describeServer({ name, state, tools, error }: McpServerStatus): Cell {
  if (state === 'ready') return `${name}: ready, ${tools} ${tools === 1 ? 'tool' : 'tools'}`
  const text = `${name}: ${state}${error === null ? '' : `, ${error}`}`
  return state === 'failed' ? { text, style: 'red' } : text
}

function inWords(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value.join(', ')
  const text = JSON.stringify(value)
  return text === '{}' || text === 'null' ? '' : text
}
