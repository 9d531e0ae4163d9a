import { defineLimits, limit, limitValues } from '@orrery/aip'

/** The limits of a device beyond those of the protocol and of its tools. */
export const DEVICE_LIMITS_TABLE = defineLimits({
  reconnectWait: limit(3_600_000, 'ms', 'The longest wait between two attempts to reach a server that does not resume sessions.'),
  idleSession: limit(
    600_000,
    'ms',
    'A session that has sent nothing for this long no longer keeps others off the device: an existing server may forget to end it (protocol reference 6.10).',
  ),
  waitingTasks: limit(
    16,
    'tasks',
    'Tasks that an existing server assigns while a session has the device; further ones are ignored.',
  ),
  stateReports: limit(1000, 'ms', 'The shortest time between two reports of the MCP servers.'),
  resultEnvelope: limit(64 * 1024, 'bytes', 'Room in a frame for what is around the results.'),
  journalExpiry: limit(
    24 * 60 * 60 * 1000,
    'ms',
    'A batch whose results no server asks for is given up after this time; the longest wait of a server is 6000 s.',
  ),
  journalKept: limit(2 * 60 * 60 * 1000, 'ms', 'A batch stays in the journal for this long after its results were acknowledged.'),
  journal: limit(512 * 1024 ** 2, 'bytes', 'The journal; above this size acknowledged batches go earlier.'),
  journalPruning: limit(60_000, 'ms', 'How often the journal is pruned.'),
  journalPrunedAtOnce: limit(200, 'batches', 'What is pruned from the journal at once: the next command waits meanwhile.'),
  serverTokens: limit(16, 'servers', 'Servers whose resume token is kept.'),
  applications: limit(
    200,
    'applications',
    'What a device names of its applications: the first message of a connection must stay small.',
  ),
  applicationName: limit(100, 'characters', 'The name of an application.'),
  configLook: limit(
    5000,
    'ms',
    'How often the configuration is looked at where changes are not announced: behind links, on network drives.',
  ),
  configSyntaxMistakes: limit(3, 'mistakes', 'What is reported at once of a configuration that is not JSON.'),
  configMistakes: limit(20, 'mistakes', 'What is reported of a configuration at once.'),
  argumentMistakes: limit(3, 'mistakes', 'What is reported of the arguments of a call at once.'),
  patternAlternatives: limit(64, 'alternatives', 'What the braces of one pattern of a policy may stand for.'),
  keptError: limit(1000, 'characters', 'The part of an error that the audit keeps.'),
  judgedWords: limit(
    2000,
    'words',
    'Words of a command in which rules look for paths; a longer one is asked about where a rule is about paths.',
  ),
  pathLength: limit(4096, 'bytes', 'A path that tools are given (`PATH_MAX` of Linux).'),
  pathLinks: limit(40, 'links', 'Links on the way of one path, as many as Linux follows.'),
  loggedValue: limit(500, 'characters', 'The part of a value that is logged.'),
  processEnd: limit(2000, 'ms', 'From the polite to the hard end of a program.'),
  processOutput: limit(
    256 * 1024,
    'bytes',
    'What is kept of each output stream of a program of the strict shell, unless the caller asks for more.',
  ),
  wholeOutput: limit(32 * 1024 * 1024, 'bytes', 'The most that a caller of `execute_command` may ask for of each output stream.'),
  runShellWait: limit(5000, 'ms', 'How long `run_shell` waits for what it launched (mcp-servers reference, chapter 4).'),
  systemInfo: limit(10_000, 'ms', 'Each question of `get_system_info` to the machine.'),
  mcpStart: limit(120_000, 'ms', 'The start of an MCP server: package runners download on their first start.'),
  mcpGreeting: limit(
    10_000,
    'ms',
    'How long an MCP server that has refused the older greeting may take to answer the newer one.',
  ),
  mcpCallWait: limit(30_000, 'ms', 'How long a call waits for an MCP server that is starting.'),
  mcpFirstRestart: limit(500, 'ms', 'The first wait before an MCP server is restarted; each further one is twice as long.'),
  mcpLongestRestart: limit(30_000, 'ms', 'The longest wait before an MCP server is restarted.'),
  mcpWell: limit(30_000, 'ms', 'An MCP server that has run for this long is well: the next wait is the first one again.'),
  mcpProbing: limit(30_000, 'ms', 'How often an MCP server is asked whether it is alive.'),
  mcpProbe: limit(15_000, 'ms', 'How long an MCP server may take to answer that.'),
  mcpMessage: limit(
    64 * 1024 * 1024,
    'bytes',
    'A message of an MCP server on its standard output: a screenshot fits, a runaway server does not fill the memory.',
  ),
  mcpToolPages: limit(200, 'pages', 'Pages of the tool list of an MCP server.'),
  mcpLostAnswer: limit(
    1000,
    'ms',
    'How long a call waits after an MCP server has ended its answer without a result: it may come another way.',
  ),
  mcpFlaws: limit(50, 'lines', 'What is reported of things that an MCP server describes badly.'),
  mcpErrorShown: limit(500, 'characters', 'What is shown of an error of an MCP server.'),
  mcpStderrKept: limit(2000, 'characters', 'What is kept of the standard error of an MCP server, for error messages.'),
  dbusMessage: limit(16 * 1024 * 1024, 'bytes', 'A message of a program to the desktop tools.'),
})

/** The values of {@link DEVICE_LIMITS_TABLE} by name. */
export const DEVICE_LIMITS = limitValues(DEVICE_LIMITS_TABLE)
