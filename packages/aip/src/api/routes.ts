import { z } from 'zod'
import { Ask, AskAnswer, AskList } from './asks.js'
import { CreateSession } from './create-session.js'
import {
  CommandsOutcome,
  Device,
  DeviceList,
  FileQuery,
  ForgottenDevice,
  RunCommands,
  ToolList,
  WriteFileQuery,
  WrittenFile,
} from './devices.js'
import { Dispatch, DispatchOutcome, TaskResult } from './dispatch.js'
import { FleetEvent, FleetEventHeaders, FleetEventQuery } from './fleet-events.js'
import {
  bytes,
  defineRoute,
  events,
  json,
  socket,
  type EventsAnswer,
  type JsonAnswer,
  type ParameterIn,
  type Route,
} from './route.js'
import { Clients, Health, Liveness, Readiness } from './server-state.js'
import { EventStreamHeaders, LogQuery, SessionEvent, SessionLog, StoredValue } from './session-events.js'
import { QuestionAnswer, Remark, Session, SessionList, SessionQuery } from './sessions.js'
import { WorkflowList } from './workflows.js'

const device = { id: z.string().describe('Device id') }
const session = { id: z.string().describe('Run id, or session id, which stands for its newest run') }
const ask = { id: z.string().describe('Ask id') }

/** Every route of the HTTP API, by its group and name in the SDK and in the server's handlers. */
export const ROUTES = {
  'devices.list': defineRoute({
    method: 'GET',
    path: '/api/devices',
    right: 'read',
    doc: 'Lists the devices that are, or were, online',
    answer: json(DeviceList),
  }),
  'devices.get': defineRoute({
    method: 'GET',
    path: '/api/devices/:id',
    right: 'read',
    doc: 'Returns one device',
    params: device,
    answer: json(Device),
  }),
  'devices.forget': defineRoute({
    method: 'DELETE',
    path: '/api/devices/:id',
    right: 'admin',
    doc: 'Forgets a device and frees its id for the next one that registers under it; its sessions end and its connection is closed',
    params: device,
    answer: json(ForgottenDevice),
  }),
  'devices.tools': defineRoute({
    method: 'GET',
    path: '/api/devices/:id/tools',
    right: 'read',
    doc: 'Lists the tools of a device',
    params: device,
    answer: json(ToolList),
  }),
  'devices.runCommands': defineRoute({
    method: 'POST',
    path: '/api/devices/:id/commands',
    right: 'run',
    doc: 'Runs commands on a device and waits for their results. If the caller leaves, what has not begun or waits for an approval is cancelled; what has begun continues',
    params: device,
    body: RunCommands,
    answer: json(CommandsOutcome),
  }),
  'devices.readFile': defineRoute({
    method: 'GET',
    path: '/api/devices/:id/files',
    right: 'run',
    doc: 'Reads a file of a device as a stream; a complete answer has been checked against the checksum of the device',
    params: device,
    query: FileQuery,
    answer: bytes({
      'content-length': 'The size of the file',
      'content-disposition': 'The name of the file',
      'x-orrery-session-id': 'The session of the transfer; its result has the checksum',
      'x-orrery-mode': 'The permissions of the file in octal, such as 750, where the device tells them',
      'last-modified': 'When the file was changed last, where the device tells it',
    }),
  }),
  'devices.writeFile': defineRoute({
    method: 'PUT',
    path: '/api/devices/:id/files',
    right: 'run',
    doc: 'Writes the body, of any content type and with a Content-Length, to a file on a device; an existing file is kept unless overwrite is true',
    params: device,
    query: WriteFileQuery,
    body: 'bytes',
    answer: json(WrittenFile),
  }),
  'devices.terminal': defineRoute({
    method: 'GET',
    path: '/api/devices/:id/terminal',
    right: 'approve',
    alsoRight: 'run',
    doc: 'Opens an interactive terminal on a device as a WebSocket, if the policy of the device allows it',
    params: device,
    answer: socket(
      'the first message is `{"type": "open", "columns", "rows"}`, with `program`, `args`, `cwd` and `term` as they are needed; then come and go the bytes of the terminal in binary messages and `resize`, `waiting`, `started`, `ended` and `refused` as JSON in text messages, which [the protocol](protocol.md#terminals) describes',
    ),
  }),

  'sessions.create': defineRoute({
    method: 'POST',
    path: '/api/sessions',
    right: 'run',
    doc: 'Starts a session on a device, from exactly one of request, workflow and commands',
    body: CreateSession,
    answer: json(Session, 201),
  }),
  'sessions.list': defineRoute({
    method: 'GET',
    path: '/api/sessions',
    right: 'read',
    doc: 'Lists sessions, newest first, without their results',
    query: SessionQuery,
    answer: json(SessionList),
  }),
  'sessions.get': defineRoute({
    method: 'GET',
    path: '/api/sessions/:id',
    right: 'read',
    doc: 'Returns one session with its whole result',
    params: session,
    answer: json(Session),
  }),
  'sessions.events': defineRoute({
    method: 'GET',
    path: '/api/sessions/:id/events',
    right: 'read',
    doc: 'Streams the events of a session until it ends',
    params: session,
    headers: EventStreamHeaders,
    answer: events(SessionEvent),
  }),
  'sessions.log': defineRoute({
    method: 'GET',
    path: '/api/sessions/:id/log',
    right: 'read',
    doc: 'Lists the events of a session recorded so far',
    params: session,
    query: LogQuery,
    answer: json(SessionLog),
  }),
  'sessions.value': defineRoute({
    method: 'GET',
    path: '/api/sessions/:id/values/:value',
    right: 'read',
    doc: 'Returns a large value that events of the session refer to as `{"$value": id, "bytes": n}`',
    params: { ...session, value: z.string().describe('The id in `$value`') },
    answer: json(StoredValue),
  }),
  'sessions.cancel': defineRoute({
    method: 'POST',
    path: '/api/sessions/:id/cancel',
    right: 'run',
    doc: 'Cancels a session; an ended session stays unchanged',
    params: session,
    answer: json(Session, 202),
  }),
  'sessions.answer': defineRoute({
    method: 'POST',
    path: '/api/sessions/:id/answer',
    right: 'run',
    doc: 'Answers the open question of a session',
    params: session,
    body: QuestionAnswer,
    answer: json(Session),
  }),
  'sessions.remark': defineRoute({
    method: 'POST',
    path: '/api/sessions/:id/remark',
    right: 'run',
    doc: 'Adds a remark to the request of a running session; its agent gets it before its next step',
    params: session,
    body: Remark,
    answer: json(Session),
  }),

  'events.follow': defineRoute({
    method: 'GET',
    path: '/api/events',
    right: 'read',
    doc: 'Streams the changes of the whole fleet: devices, sessions and approvals, each in its current state',
    query: FleetEventQuery,
    headers: FleetEventHeaders,
    answer: events(FleetEvent),
  }),

  'workflows.list': defineRoute({
    method: 'GET',
    path: '/api/workflows',
    right: 'read',
    doc: 'Lists the workflows that can be called by name, and the files in the folders that have mistakes',
    answer: json(WorkflowList),
  }),

  'asks.list': defineRoute({
    method: 'GET',
    path: '/api/asks',
    right: 'read',
    doc: 'Lists the calls that wait for approval',
    answer: json(AskList),
  }),
  'asks.answer': defineRoute({
    method: 'POST',
    path: '/api/asks/:id',
    right: 'approve',
    doc: 'Allows or denies a waiting call, once',
    params: ask,
    body: AskAnswer,
    answer: json(Ask),
  }),

  'tasks.dispatch': defineRoute({
    method: 'POST',
    path: '/api/dispatch',
    right: 'run',
    doc: 'Makes a device start a task of its own, as existing peers do',
    body: Dispatch,
    answer: json(DispatchOutcome),
  }),
  'tasks.result': defineRoute({
    method: 'GET',
    path: '/api/task_result/:task_name',
    right: 'read',
    doc: 'Returns the result of the newest task with this name',
    params: { task_name: z.string().describe('The name given by the dispatch') },
    answer: json(TaskResult),
  }),

  'server.health': defineRoute({
    method: 'GET',
    path: '/api/health',
    right: 'read',
    doc: 'Reports that the server is healthy, and which clients are online',
    answer: json(Health),
  }),
  'server.clients': defineRoute({
    method: 'GET',
    path: '/api/clients',
    right: 'read',
    doc: 'Lists the online clients of both kinds',
    answer: json(Clients),
  }),
  'server.openapi': defineRoute({
    method: 'GET',
    path: '/api/openapi.json',
    right: 'any',
    doc: 'Returns this description as an OpenAPI document',
    answer: json(z.record(z.string(), z.unknown())),
  }),
  'server.devicePackage': defineRoute({
    method: 'GET',
    path: '/orrery-device.tgz',
    right: 'open',
    doc: 'Returns the npm package for devices, so that a new machine needs nothing but Node: `npx -y -p node@24 -p http://SERVER/orrery-device.tgz orrery …`',
    answer: bytes({ 'content-length': 'its size in bytes' }),
  }),
  'server.alive': defineRoute({
    method: 'GET',
    path: '/healthz',
    right: 'open',
    doc: 'Answers as long as the process lives',
    answer: json(Liveness),
  }),
  'server.ready': defineRoute({
    method: 'GET',
    path: '/readyz',
    right: 'open',
    doc: 'Reports whether the server accepts work; 503 while it stops',
    answer: json(Readiness, 200, [503]),
  }),
} as const satisfies Record<`${string}.${string}`, Route>

/** The name of a route: a key of {@link ROUTES}. */
export type RouteName = keyof typeof ROUTES
/** The names of all routes. */
export const ROUTE_NAMES = Object.keys(ROUTES) as readonly RouteName[]
/** The description of a route. */
export type RouteOf<Name extends RouteName> = (typeof ROUTES)[Name]

/** The parameters in the path of a route. */
export type RouteParams<Name extends RouteName> = Record<ParameterIn<RouteOf<Name>['path']>, string>

type QuerySchema<Name extends RouteName> = RouteOf<Name> extends { query: infer Q extends z.ZodObject } ? Q : z.ZodUndefined
type BodySchema<Name extends RouteName> = RouteOf<Name> extends { body: infer B extends z.ZodType } ? B : z.ZodUndefined
type AnswerSchema<Name extends RouteName> = RouteOf<Name>['answer'] extends JsonAnswer<infer A> | EventsAnswer<infer A>
  ? A
  : z.ZodUndefined

/** The query of a route, as its caller passes it. */
export type RouteQueryInput<Name extends RouteName> = z.input<QuerySchema<Name>>
/** The query of a route, as its handler gets it. */
export type RouteQuery<Name extends RouteName> = z.output<QuerySchema<Name>>
/** The JSON body of a route, as its caller passes it. */
export type RouteBodyInput<Name extends RouteName> = z.input<BodySchema<Name>>
/** The JSON body of a route, as its handler gets it. */
export type RouteBody<Name extends RouteName> = z.output<BodySchema<Name>>
/** The JSON answer of a route, as its handler returns it. */
export type RouteAnswerInput<Name extends RouteName> = z.input<AnswerSchema<Name>>
/** The JSON answer of a route, or one event of its stream, as its caller gets it. */
export type RouteAnswer<Name extends RouteName> = z.output<AnswerSchema<Name>>
