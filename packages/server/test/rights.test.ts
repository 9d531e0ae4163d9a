import { Readable } from 'node:stream'
import { TerminalWanted, silentLogger, systemClock } from '@orrery/aip'
import { ROUTES, type Route, type RouteName } from '@orrery/aip/api'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SecretSources } from '../src/config/secret-sources.js'
import { WorkflowLibrary } from '../src/agents/workflow/workflow-library.js'
import { ClientConnectionManager } from '../src/clients/client-connection-manager.js'
import { ResumeTokens } from '../src/clients/resume-tokens.js'
import { KnownDevices } from '../src/clients/known-devices.js'
import { ConnectedPeers } from '../src/connection/connected-peers.js'
import { DeviceFiles } from '../src/files/device-files.js'
import { WaitingTransfers } from '../src/files/waiting-transfers.js'
import { createFleet } from '../src/fleet/create-fleet.js'
import type { Fleet } from '../src/fleet/fleet.js'
import { OPERATOR, type OwnRight, type Principal } from '../src/identity/principal.js'
import { Asks } from '../src/sessions/asks.js'
import { DeviceToolLists } from '../src/sessions/device-tool-lists.js'
import { ModelAllowance } from '../src/sessions/model-allowance.js'
import { SessionManager } from '../src/sessions/session-manager.js'
import { MemoryFeed } from '../src/store/memory-feed.js'
import { SqliteClientStore } from '../src/store/sqlite-client-store.js'
import { SqliteSessionStore } from '../src/store/sqlite-session-store.js'
import { DeviceTerminals } from '../src/terminals/device-terminals.js'

function fleet(): Fleet {
  const clientStore = new SqliteClientStore(':memory:')
  const store = new SqliteSessionStore(':memory:')
  onTestFinished(async () => {
    await clientStore.close()
    await store.close()
  })
  const common = { feed: new MemoryFeed(), clock: systemClock, logger: silentLogger }
  const known = new KnownDevices({ ...common, store: clientStore })
  const clients = new ClientConnectionManager(known)
  const peers = new ConnectedPeers(clients)
  const toolLists = new DeviceToolLists({ ...common, peers })
  const sessions = new SessionManager({ ...common, store, peers, toolLists, agents: [] })
  const files = new DeviceFiles(clients, { ...common, sessions, waiting: new WaitingTransfers(() => null) })
  const terminals = new DeviceTerminals(clients, { ...common, waiting: new WaitingTransfers(() => null) })
  const asks = new Asks({ ...common, live: sessions.live, peers })
  const tokens = new ResumeTokens(clientStore, systemClock)
  const workflows = new WorkflowLibrary(null, new SecretSources(), silentLogger)
  const allowance = new ModelAllowance({ agents: [], clock: systemClock, perDay: 0 })
  return createFleet({
    allowance,
    clients,
    known,
    tokens,
    toolLists,
    sessions,
    store,
    feed: common.feed,
    asks,
    files,
    terminals,
    workflows,
  })
}

/** One who has all rights but those that are named. */
function without(...missing: OwnRight[]): Principal {
  return { ...OPERATOR, rights: new Set([...OPERATOR.rights].filter((right) => !missing.includes(right))) }
}

const never = new AbortController().signal
const WANTED = { device_id: 'd1', request: 'look' }

/** The use case behind each route that needs a right. */
const USE_CASES: Partial<Record<RouteName, (fleet: Fleet, principal: Principal) => unknown>> = {
  'devices.list': ({ devices }, who) => devices.list(who),
  'devices.forget': ({ devices }, who) => devices.forget(who, 'd1'),
  'devices.get': ({ devices }, who) => devices.get(who, 'd1'),
  'devices.tools': ({ devices }, who) => devices.tools(who, 'd1'),
  'devices.runCommands': ({ tasks }, who) => tasks.run(who, 'd1', { commands: [] }),
  'devices.readFile': ({ files }, who) => files.read(who, 'd1', '/x', never),
  'devices.writeFile': ({ files }, who) =>
    files.write(who, 'd1', { path: '/x', size: 0, overwrite: false }, Readable.from([]), never),
  'devices.terminal': ({ terminals }, who) => terminals.open(who, 'd1', TerminalWanted.parse({ columns: 80, rows: 24 }), never),
  'sessions.create': ({ tasks }, who) => tasks.start(who, WANTED),
  'sessions.list': ({ sessions }, who) => sessions.list(who, { limit: 1 }),
  'sessions.get': ({ sessions }, who) => sessions.get(who, 's1'),
  'sessions.events': ({ sessions }, who) => sessions.follow(who, 's1', () => {}),
  'sessions.log': ({ sessions }, who) => sessions.log(who, 's1', 0),
  'sessions.value': ({ sessions }, who) => sessions.value(who, 's1', 'v'),
  'sessions.cancel': ({ sessions }, who) => sessions.cancel(who, 's1'),
  'sessions.answer': ({ sessions }, who) => sessions.answer(who, 's1', 'yes'),
  'sessions.remark': ({ sessions }, who) => sessions.remark(who, 's1', 'also'),
  'events.follow': ({ events }, who) => events.follow(who, {}, never),
  'workflows.list': ({ tasks }, who) => tasks.workflows(who),
  'asks.list': ({ asks }, who) => asks.list(who),
  'asks.answer': ({ asks }, who) => asks.answer(who, 'a1', { decision: 'allow' }),
  'tasks.dispatch': ({ tasks }, who) => tasks.dispatch(who, 'd1', 'look', 't1'),
  'tasks.result': ({ tasks }, who) => tasks.result(who, 't1'),
  'server.health': ({ server }, who) => server.clients(who),
  'server.clients': ({ server }, who) => server.clients(who),
}

const guarded = (Object.keys(ROUTES) as RouteName[]).filter((name) => !['open', 'any'].includes(ROUTES[name].right))

async function failure(work: () => unknown): Promise<unknown> {
  try {
    await work()
    return null
  } catch (error) {
    return error
  }
}

describe('the use case behind a route', () => {
  it.each(guarded)('%s asks for the right of the route, and for no other', async (name) => {
    const right = ROUTES[name].right as OwnRight
    const use = USE_CASES[name]
    expect(use, `add ${name} to USE_CASES`).toBeDefined()
    const detail = `This key does not have the right '${right}'`
    expect(await failure(() => use?.(fleet(), without(right)))).toMatchObject({ code: 'FORBIDDEN', message: detail })
    const { [name]: route }: Record<typeof name, Route> = ROUTES
    const also = route.alsoRight === undefined ? [] : [route.alsoRight as OwnRight]
    for (const other of also) expect(await failure(() => use?.(fleet(), without(other)))).toMatchObject({ code: 'FORBIDDEN' })
    const includes: OwnRight[] = right === 'read' ? ['read'] : [right, 'read', ...also]
    const only = { ...OPERATOR, rights: new Set(includes) }
    expect(await failure(() => use?.(fleet(), only))).not.toMatchObject({ code: 'FORBIDDEN' })
  })
})
