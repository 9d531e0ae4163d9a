import type { OrreryApi } from '@orrery/constellation'
import type { Command } from 'commander'
import { CliError, usageError } from '../terminal/errors.js'
import { findKey } from './home.js'
import { orrery } from '../terminal/invocation.js'
import { refuseOpenNetwork } from './open-network.js'
import { addTrustFlags, serverTrust } from './trust.js'
import { localServer } from './running-server.js'

/** Options of every client command. */
export interface TargetOptions {
  server?: string
  apiKey?: string
  apiKeyFile?: string
  insecure?: boolean
  ca?: string
  fingerprint?: string
  json?: boolean
}

/** Adds the options of every client command. */
export function withTarget(command: Command): Command {
  command
    .optionsGroup('Connection and output:')
    .option('--server <url>', 'server to talk to (default: the one that runs on this machine, else http://127.0.0.1:5000)')
    .option('--api-key <key>', 'operator key (default: ORRERY_API_KEY, else the file operator.key in ORRERY_HOME)')
    .option('--api-key-file <file>', 'file with the operator key, which others then do not see in the list of processes')
    .option('--insecure', 'talk to a server outside of private networks with http://, which others can read and change')
  return addTrustFlags(command).option('--json', 'print JSON, for programs')
}

/** The client of the server that the options name. */
export async function connect(options: TargetOptions): Promise<OrreryApi> {
  const { OrreryApi, trustingFetch } = await import('@orrery/constellation')
  const found = operatorKey(options)
  const server = options.server ?? localServer()
  if (options.insecure !== true) await refuseOpenNetwork(server)
  const trust = await serverTrust(server, options)
  const fetch = trust === undefined ? await proxied() : trustingFetch(trust)
  return new OrreryApi({ server, apiKey: found?.key, keySource: found?.source, fetch })
}

/** Returns a `fetch` that follows the variables that name proxies; undefined if there are none. */
async function proxied(): Promise<typeof fetch | undefined> {
  if (!Object.keys(process.env).some((name) => /^(?:https?|all)_proxy$/i.test(name))) return undefined
  const { proxiedFetch } = await import('@orrery/aip/node')
  const send = proxiedFetch()
  return (input, init) => send(input instanceof Request ? input.url : input, init)
}

/** The operator key that the options name, for a connection of one's own; undefined if there is none. */
export function keyOf(options: TargetOptions): string | undefined {
  return operatorKey(options)?.key
}

function operatorKey({ apiKey, apiKeyFile }: TargetOptions): ReturnType<typeof findKey> {
  return findKey({ name: '--api-key', value: apiKey, file: apiKeyFile }, 'operator.key')
}

/** Options of the client commands that work on one device. */
export interface DeviceTargetOptions extends TargetOptions {
  device?: string
}

/** Adds the options of the client commands that work on one device. */
export function withDevice(command: Command): Command {
  return withTarget(
    command.option('-d, --device <id>', 'device to work on (default: ORRERY_DEVICE, else the only one that is online)'),
  )
}

/**
 * The device that a command line names, by its first word or by the flag; undefined if it names none.
 * @throws {CliError} with exit code 2 if it names two
 */
export function namedDevice(word: string | undefined, { device: flag }: DeviceTargetOptions): string | undefined {
  if (word !== undefined && flag !== undefined && word !== flag)
    throw usageError(`Two devices are named: '${word}' and, with --device, '${flag}'`)
  return word ?? flag
}

/** The device that is meant: the one that is named, else that of ORRERY_DEVICE, else the only one that is online. */
export async function pickDevice(api: OrreryApi, given: string | undefined, how: string): Promise<string> {
  const named = given ?? (process.env['ORRERY_DEVICE'] || undefined)
  if (named !== undefined) return named
  const online = (await api.devices.list()).filter((device) => device.status !== 'offline').map((device) => device.device_id)
  const [only, ...others] = online
  if (only === undefined) throw new CliError(`No device is connected. Start one with: ${orrery('device')}`)
  if (others.length > 0) throw new CliError(`Several devices are online (${online.join(', ')}): say which one, ${how}`)
  return only
}

/** The id of the session that is meant, or its run id; the beginning of an id is enough where no other session begins like it. */
export async function pickSession(api: OrreryApi, named: string): Promise<string> {
  try {
    await api.sessions.get(named)
    return named
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'SESSION_NOT_FOUND')) throw error
    const all = (await api.sessions.list({ limit: 500 })).map((session) => session.session_id)
    const matching = [...new Set(all.filter((id) => id.startsWith(named)))]
    const [only, ...others] = matching
    if (only === undefined) throw error
    if (others.length > 0) throw new CliError(`${matching.length} sessions begin with '${named}': give more of the id`)
    return only
  }
}
