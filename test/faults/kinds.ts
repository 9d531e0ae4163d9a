/** Where a fault strikes: one device and its connection, or the server and with it everybody. */
type Target = 'device' | 'server'

interface KindInfo {
  title: string
  target: Target
  /** How often it comes, compared with the others. */
  weight: number
}

/** Every kind of fault. */
export const KINDS = {
  drop: { title: 'connection closed (FIN)', target: 'device', weight: 8 },
  reset: { title: 'connection reset (RST)', target: 'device', weight: 8 },
  'blackhole-to-server': { title: 'silence towards the server', target: 'device', weight: 5 },
  'blackhole-to-device': { title: 'silence towards the device', target: 'device', weight: 5 },
  'blackhole-both': { title: 'silence both ways', target: 'device', weight: 5 },
  delay: { title: 'every piece of data late', target: 'device', weight: 5 },
  stall: { title: 'stalled, then going on', target: 'device', weight: 6 },
  'cut-to-server': { title: 'frame cut towards the server', target: 'device', weight: 6 },
  'cut-to-device': { title: 'frame cut towards the device', target: 'device', weight: 6 },
  'results-twice': { title: 'results delivered twice', target: 'device', weight: 6 },
  'results-late': { title: 'results late, on the next connection', target: 'device', weight: 6 },
  'results-forged': { title: 'results sent by another device', target: 'device', weight: 5 },
  intruder: { title: 'intruder under the id of a device', target: 'device', weight: 3 },
  'constellation-not-reading': { title: 'constellation that stops reading', target: 'device', weight: 2 },
  'stream-not-reading': { title: 'reader of event streams that stops reading', target: 'device', weight: 2 },
  'device-not-reading': { title: 'device that stops reading', target: 'device', weight: 1 },
  'device-killed': { title: 'device killed', target: 'device', weight: 8 },
  'device-killed-at-point': { title: 'device killed at a journal write', target: 'device', weight: 12 },
  'device-stopped': { title: 'device stopped for a while', target: 'device', weight: 5 },
  'device-stopped-at-point': { title: 'device stopped at a journal write', target: 'device', weight: 4 },
  'device-disk-full': { title: "device's disk full", target: 'device', weight: 4 },
  'server-killed': { title: 'server killed', target: 'server', weight: 4 },
  'server-killed-at-point': { title: 'server killed at a log write', target: 'server', weight: 5 },
  'server-told-to-stop': { title: 'server told to stop (SIGTERM)', target: 'server', weight: 1 },
  'server-stopped': { title: 'server stopped for a while', target: 'server', weight: 1 },
  'server-stopped-at-point': { title: 'server stopped at a log write', target: 'server', weight: 1 },
  'both-killed': { title: 'server and device killed', target: 'server', weight: 2 },
  'server-disk-full': { title: "server's disk full", target: 'server', weight: 2 },
} as const satisfies Record<string, KindInfo>

/** The name of a kind. */
export type Kind = keyof typeof KINDS

/** All names, in the order of the table. */
export const KIND_NAMES = Object.keys(KINDS) as [Kind, ...Kind[]]

/** What a device records, and with it where it can be struck. */
export const DEVICE_RECORDS = ['batch', 'started', 'done', 'finished', 'acknowledged', 'token', 'replaced'] as const
/** What a server records. */
export const SERVER_RECORDS = ['accepted', 'commands_sent', 'results_received', 'ended', 'paused', 'resumed', 'tokens'] as const

/** Records that are written only when a device comes or goes. */
export const CONNECTION_RECORDS: ReadonlySet<string> = new Set(['paused', 'resumed', 'token', 'tokens', 'replaced'])
