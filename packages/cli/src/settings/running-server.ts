import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { inHome, makeHome } from './home.js'

/** What the file says about the server that runs on this machine. */
interface RunningServer {
  url: string
  pid: number
  /** Of its certificate, if it serves TLS. */
  fingerprint?: string | undefined
}

/** Where commands look if nothing else is said. */
export const DEFAULT_SERVER = 'http://127.0.0.1:5000'

/** What a device of this machine calls the server of its ORRERY_HOME, whose port may change. */
export const OWN_SERVER = 'own'

/** Announces to commands on this machine where the server of this process listens. @param fingerprint of its certificate @returns withdraws it */
export function announceServer(url: string, fingerprint?: string): () => void {
  makeHome()
  const path = inHome('server.json')
  writeFileSync(path, `${JSON.stringify({ url, pid: process.pid, fingerprint } satisfies RunningServer)}\n`, { mode: 0o600 })
  return () => {
    // Another server may have announced itself in the meantime.
    if (read(path)?.pid === process.pid) rmSync(path, { force: true })
  }
}

/** Address of the server that runs on this machine, else the default one. */
export function localServer(): string {
  const running = read(inHome('server.json'))
  return running !== undefined && isAlive(running.pid) ? running.url : DEFAULT_SERVER
}

/** The fingerprint of the certificate of the server that runs on this machine, if an address is its own and it serves TLS. */
export function localFingerprint(address: string): string | undefined {
  const running = read(inHome('server.json'))
  const host = URL.parse(address.replace(/^ws/, 'http'))?.host
  return running !== undefined && isAlive(running.pid) && host === URL.parse(running.url)?.host ? running.fingerprint : undefined
}

/** Says that another process of this machine has what this one needs. @param pid of it, if it is known */
export function alreadyRuns(pid: number | null): string {
  const running = read(inHome('server.json'))
  const server = running !== undefined && isAlive(running.pid) && (pid === null || running.pid === pid) ? running : undefined
  const known = [...(pid === null ? [] : [`pid ${pid}`]), ...(server === undefined ? [] : [server.url])]
  return `Orrery already runs here${known.length === 0 ? '' : ` (${known.join(', ')})`}`
}

function read(path: string): RunningServer | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof value !== 'object' || value === null || !('url' in value) || !('pid' in value)) return undefined
    if (typeof value.url !== 'string' || typeof value.pid !== 'number') return undefined
    const fingerprint = 'fingerprint' in value && typeof value.fingerprint === 'string' ? value.fingerprint : undefined
    return { url: value.url, pid: value.pid, fingerprint }
  } catch {
    return undefined
  }
}

/** A killed server leaves its file behind. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
