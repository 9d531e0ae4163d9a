import { defineLimits, limit, limitValues } from '@orrery/aip'

/** The limits of a server beyond those of the protocol. */
export const SERVER_LIMITS_TABLE = defineLimits({
  httpBody: limit(100 * 1024 * 1024, 'bytes', 'The JSON body of a request to the HTTP API: as large as a frame may be.'),
  httpHeaders: limit(60_000, 'ms', 'From the connection to the last header of a request.'),
  eventStreamSilence: limit(15_000, 'ms', 'A quiet event stream gets a comment this often, so that proxies keep it open.'),
  eventStreamUnsent: limit(
    16 * 1024 * 1024,
    'bytes',
    'Unread data of a reader of an event stream; a reader that exceeds it is dropped, and can return with Last-Event-ID.',
  ),
  retention: limit(24 * 60 * 60 * 1000, 'ms', 'How long ended sessions are kept, unless the setting says otherwise.'),
  eventLog: limit(2 * 1024 ** 3, 'bytes', 'The event log; above this size the oldest ended sessions go earlier.'),
  pruning: limit(10 * 60 * 1000, 'ms', 'How often ended sessions are pruned.'),
  prunedAtOnce: limit(200, 'sessions', 'How many sessions are pruned at once: the server answers in between.'),
  approval: limit(3_600_000, 'ms', 'How long a call may wait for approval, whatever its device says.'),
  replacedConnection: limit(5000, 'ms', 'How long a replaced connection of a client may take to close before it is cut.'),
  listedRequest: limit(1000, 'characters', 'How much of a request a list of sessions shows.'),
  feedChanges: limit(
    10_000,
    'changes',
    'Changes kept for readers of `/api/events` that return; a reader that was away for longer gets `reset`.',
  ),
  olderResults: limit(100, 'sessions', 'Sessions of one name that are looked at for the result of a task of an older server.'),
  waitingTasks: limit(2000, 'tasks', 'Tasks that one connection has sent and that wait to be taken.'),
  newerTokens: limit(16, 'tokens', 'Resume tokens that may be newer than the one that a client presents.'),
  deviceInfo: limit(1024 * 1024, 'characters', 'What a device says of itself, all pushes together, as JSON.'),
  devicePush: limit(8 * 1024 * 1024, 'characters', 'One push of a device, with its list of tools, as JSON.'),
  cutError: limit(1000, 'characters', 'The error of an end that is too large for its client, which is sent without its result.'),
  workflowFile: limit(256 * 1024, 'characters', 'A workflow file.'),
  plan: limit(256 * 1024, 'characters', 'A plan in words.'),
  foreachItems: limit(1000, 'items', 'Items of one `foreach` of a workflow.'),
  callsPerTurn: limit(
    50,
    'calls',
    'Device calls of one turn of a model; more are refused, so that a confused model does little harm.',
  ),
  emptyTurns: limit(3, 'turns', 'How often a model is asked to continue after a turn that is empty or cut off.'),
  modelRetryAfter: limit(120_000, 'ms', "The longest wait that a model's endpoint may ask for."),
  modelFirstRetry: limit(
    1000,
    'ms',
    'The first wait before a request to a model is repeated; each further one is twice as long.',
  ),
  modelLongestRetry: limit(30_000, 'ms', 'The longest wait before a request to a model is repeated.'),
  modelHalvings: limit(3, 'times', 'How often a conversation is halved when the endpoint says that it is too long.'),
  modelErrorDetail: limit(300, 'characters', "How much of a provider's answer an error shows; some answer with a whole page."),
  modelToolName: limit(64, 'characters', 'The longest name of a tool that all providers accept.'),
  modelToolDescription: limit(2000, 'characters', 'How much of the description of a tool a model gets.'),
  modelResult: limit(32_000, 'characters', 'How much of the text of one result a model gets.'),
  modelOldResult: limit(400, 'characters', 'What is left of an older result when the conversation gets too long.'),
  modelImage: limit(7_000_000, 'characters', 'An image for a model, in base64; providers refuse larger ones.'),
  modelWholeTurns: limit(2, 'turns', 'The last turns of a conversation, which are never collapsed into its summary.'),
})

/** The values of {@link SERVER_LIMITS_TABLE} by name. */
export const SERVER_LIMITS = limitValues(SERVER_LIMITS_TABLE)
