import type SystemInformation from 'systeminformation'
import { z } from 'zod'
import { defineTool, type ToolHints } from '../define-tool.js'

/** The bounds of the system tools: entries and characters. */
export const SYSTEM_LIMITS = { processes: 20, processesMost: 1000, commandLine: 500 } as const

/** Reading the machine changes nothing, and each moment has its own answer. */
const LOOKS: ToolHints = { readOnlyHint: true, destructiveHint: false, idempotentHint: true }
const NOTHING = (): Record<string, never> => ({})

/** Takes a tenth of a second to load, so it is loaded by the first call. */
async function library(): Promise<typeof SystemInformation> {
  return (await import('systeminformation')).default
}

/** Facts that the machine does not report are empty texts. */
const known = (text: string): string | null => (text === '' || text === '-' ? null : text)
const rounded = (value: number): number => Math.round(value * 10) / 10

/** `machine_info`: what the machine is and how busy it is. */
export const machineInfo = defineTool({
  name: 'machine_info',
  title: 'Machine information',
  description: 'Hardware, operating system, processor and its load, memory and time since the start, as single values.',
  hints: LOOKS,
  input: z.object({}),
  output: z.object({
    hostname: z.string(),
    os: z.object({ platform: z.string(), name: z.string(), release: z.string(), kernel: z.string(), architecture: z.string() }),
    hardware: z.object({ manufacturer: z.string().nullable(), model: z.string().nullable(), virtual: z.boolean() }),
    processor: z.object({
      name: z.string(),
      cores: z.number(),
      load_percent: z.number().describe('Since the last call, of all cores'),
    }),
    memory: z.object({
      total: z.number().describe('Bytes'),
      available: z.number().describe('Bytes that programs can get'),
      swap_total: z.number(),
      swap_used: z.number(),
    }),
    uptime_s: z.number(),
    time: z.string().describe('Now, ISO 8601, UTC'),
    timezone: z.string(),
  }),
  describeCall: NOTHING,
  run: async (_args, _state: null) => {
    const si = await library()
    const [os, system, cpu, load, memory] = await Promise.all([si.osInfo(), si.system(), si.cpu(), si.currentLoad(), si.mem()])
    const { uptime, current, timezoneName } = si.time()
    return {
      hostname: os.hostname,
      os: { platform: os.platform, name: os.distro, release: os.release, kernel: os.kernel, architecture: os.arch },
      hardware: { manufacturer: known(system.manufacturer), model: known(system.model), virtual: system.virtual },
      processor: { name: `${cpu.manufacturer} ${cpu.brand}`.trim(), cores: cpu.cores, load_percent: rounded(load.currentLoad) },
      memory: { total: memory.total, available: memory.available, swap_total: memory.swaptotal, swap_used: memory.swapused },
      uptime_s: Math.round(uptime),
      time: new Date(current).toISOString(),
      timezone: timezoneName,
    }
  },
})

/** `list_processes`: what runs. */
export const listProcesses = defineTool({
  name: 'list_processes',
  title: 'List processes',
  description:
    'The processes of this machine with user, processor and memory use, by sort_by. ' +
    `At most limit (${SYSTEM_LIMITS.processes} unless said). Command lines come only with arguments: true; they may hold secrets.`,
  hints: LOOKS,
  input: z.object({
    sort_by: z.enum(['cpu', 'memory', 'pid', 'started']).default('cpu').describe('Highest first; pid: lowest first'),
    name: z.string().optional().describe('Only processes whose name or command line holds this text, in any case'),
    arguments: z.boolean().default(false).describe('Show command lines'),
    limit: z.number().int().min(1).max(SYSTEM_LIMITS.processesMost).default(SYSTEM_LIMITS.processes),
  }),
  output: z.object({
    total: z.number().describe('Processes that match'),
    running: z.number().describe('Processes of the machine that run right now'),
    processes: z.array(
      z.object({
        pid: z.number(),
        parent_pid: z.number(),
        name: z.string(),
        user: z.string(),
        state: z.string(),
        cpu_percent: z.number(),
        memory_percent: z.number(),
        memory: z.number().describe('Bytes of real memory'),
        started: z.string(),
        command_line: z.string().optional(),
      }),
    ),
  }),
  describeCall: NOTHING,
  run: async (args, _state: null) => {
    const si = await library()
    const { list, running } = await si.processes()
    const wanted = (args.name ?? '').toLowerCase()
    const found = list
      .map((each) => ({ each, line: [each.command, each.params].filter((part) => part !== '').join(' ') }))
      .filter(({ each, line }) => `${each.name}\n${line}`.toLowerCase().includes(wanted))
    found.sort(({ each: one }, { each: other }) => {
      if (args.sort_by === 'pid') return one.pid - other.pid
      if (args.sort_by === 'started') return one.started < other.started ? 1 : -1
      return args.sort_by === 'cpu' ? other.cpu - one.cpu : other.memRss - one.memRss
    })
    return {
      total: found.length,
      running,
      processes: found.slice(0, args.limit).map(({ each, line }) => ({
        pid: each.pid,
        parent_pid: each.parentPid,
        name: each.name,
        user: each.user,
        state: each.state,
        cpu_percent: rounded(each.cpu),
        memory_percent: rounded(each.mem),
        // The library counts it in KiB.
        memory: each.memRss * 1024,
        started: each.started,
        command_line: args.arguments ? line.slice(0, SYSTEM_LIMITS.commandLine) : undefined,
      })),
    }
  },
})

/** `list_disks`: file systems and how full they are. */
export const listDisks = defineTool({
  name: 'list_disks',
  title: 'List disks',
  description: 'The file systems of this machine: where each is mounted, its type, size, and how full it is.',
  hints: LOOKS,
  input: z.object({}),
  output: z.object({
    file_systems: z.array(
      z.object({
        device: z.string(),
        mount: z.string(),
        type: z.string(),
        size: z.number().describe('Bytes'),
        used: z.number().describe('Bytes'),
        available: z.number().describe('Bytes'),
        used_percent: z.number(),
        writable: z.boolean().nullable(),
      }),
    ),
  }),
  describeCall: NOTHING,
  run: async (_args, _state: null) => {
    const si = await library()
    const all = await si.fsSize()
    return {
      file_systems: all.map((each) => ({
        device: each.fs,
        mount: each.mount,
        type: each.type,
        size: each.size,
        used: each.used,
        available: each.available,
        used_percent: rounded(each.use),
        writable: each.rw,
      })),
    }
  },
})

/** `network_info`: interfaces, addresses and traffic. */
export const networkInfo = defineTool({
  name: 'network_info',
  title: 'Network information',
  description:
    'The network interfaces of this machine: addresses, state and traffic since the start, and the default gateway. Asks nothing of the network.',
  hints: LOOKS,
  input: z.object({}),
  output: z.object({
    gateway: z.string().nullable(),
    interfaces: z.array(
      z.object({
        name: z.string(),
        default: z.boolean().describe('Whether traffic to elsewhere goes this way'),
        internal: z.boolean().describe('Reaches this machine only'),
        state: z.string(),
        ipv4: z.string().nullable(),
        ipv6: z.string().nullable(),
        mac: z.string().nullable(),
        received: z.number().nullable().describe('Bytes'),
        sent: z.number().nullable().describe('Bytes'),
      }),
    ),
  }),
  describeCall: NOTHING,
  run: async (_args, _state: null) => {
    const si = await library()
    const [interfaces, traffic, gateway] = await Promise.all([
      si.networkInterfaces(),
      si.networkStats('*'),
      si.networkGatewayDefault(),
    ])
    return {
      gateway: known(gateway),
      interfaces: [interfaces].flat().map((each) => {
        const counted = traffic.find(({ iface }) => iface === each.iface)
        return {
          name: each.iface,
          default: each.default,
          internal: each.internal,
          state: each.operstate,
          ipv4: known(each.ip4),
          ipv6: known(each.ip6),
          mac: known(each.mac),
          received: counted?.rx_bytes ?? null,
          sent: counted?.tx_bytes ?? null,
        }
      }),
    }
  },
})
