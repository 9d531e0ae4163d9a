import { sequencePicture, type Sequence } from './sequence-picture.ts'

const COMMAND: Sequence = {
  title: 'The path of a command',
  parts: [
    ['asks', 'who asks'],
    ['fleet', 'http · fleet'],
    ['lane', 'intake · lane'],
    ['session', 'session · agent'],
    ['dispatcher', 'dispatcher'],
    ['device', 'device'],
  ],
  steps: [
    { from: 'asks', to: 'fleet', text: 'request with a key' },
    { from: 'fleet', to: 'lane', text: 'principal may: task' },
    { at: 'lane', note: 'accepted', kind: 'recorded' },
    { from: 'fleet', to: 'asks', text: 'acknowledged' },
    { from: 'lane', to: 'session', text: 'its turn' },
    { from: 'session', to: 'dispatcher', text: 'commands' },
    { at: 'dispatcher', note: 'commands_sent', kind: 'recorded' },
    { from: 'dispatcher', to: 'device', text: 'COMMAND' },
    { at: 'device', note: 'started · done', kind: 'recorded' },
    { from: 'device', to: 'dispatcher', text: 'command_results' },
    { at: 'dispatcher', note: 'results_received', kind: 'recorded' },
    { from: 'dispatcher', to: 'device', text: 'results_ack' },
    { from: 'dispatcher', to: 'session', text: 'results' },
    { at: 'session', note: 'ended', kind: 'recorded' },
    { from: 'session', to: 'lane', text: 'lane free' },
    { from: 'lane', to: 'asks', text: 'delivery: how it ended' },
  ],
}

const DROP: Sequence = {
  title: 'A connection drops in the middle of a command',
  parts: [
    ['lane', 'lane'],
    ['dispatcher', 'session'],
    ['socket', 'connection'],
    ['device', 'device'],
  ],
  steps: [
    { from: 'socket', to: 'device', text: 'COMMAND' },
    { at: 'device', note: 'started', kind: 'recorded' },
    { at: 'socket', note: 'drops', kind: 'down' },
    { from: 'socket', to: 'lane', text: 'device away: lane held' },
    { at: 'dispatcher', note: 'paused', kind: 'recorded' },
    { at: 'device', note: 'runs on; done', kind: 'recorded' },
    { from: 'device', to: 'socket', text: 'dials again, token' },
    { from: 'socket', to: 'lane', text: 'device back' },
    { at: 'dispatcher', note: 'resumed', kind: 'recorded' },
    { from: 'dispatcher', to: 'device', text: 'the same COMMAND, the same ids' },
    { from: 'device', to: 'dispatcher', text: 'results from the journal, nothing runs again' },
  ],
}

const RESTART: Sequence = {
  title: 'The server dies and starts again',
  parts: [
    ['log', 'event log'],
    ['server', 'server'],
    ['agent', 'agent'],
    ['device', 'device'],
  ],
  steps: [
    { from: 'server', to: 'device', text: 'COMMAND' },
    { at: 'server', note: 'killed', kind: 'down' },
    { from: 'device', to: 'server', text: 'results', lost: true },
    { at: 'server', note: 'starts', kind: 'plain' },
    { from: 'log', to: 'server', text: 'open sessions' },
    { at: 'server', note: 'lanes wait for their devices', kind: 'plain' },
    { from: 'device', to: 'server', text: 'dials again, token' },
    { from: 'server', to: 'agent', text: 'runs from its start' },
    { from: 'log', to: 'agent', text: 'recorded steps and results, in order' },
    { from: 'server', to: 'device', text: 'the batch in flight, the same ids' },
    { from: 'device', to: 'server', text: 'results' },
    { from: 'server', to: 'agent', text: 'continues' },
  ],
}

/** The pictures of the pages, by their path under docs. */
export function pictures(): [path: string, svg: string][] {
  return [
    ['pictures/command.svg', sequencePicture(COMMAND)],
    ['pictures/dropped-connection.svg', sequencePicture(DROP)],
    ['pictures/restart.svg', sequencePicture(RESTART)],
  ]
}
