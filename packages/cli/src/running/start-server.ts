import type { OrreryServer } from '@orrery/server'
import { makeFolder } from '@orrery/log/make-folder'
import { CliError, usageError } from '../terminal/errors.js'
import { alreadyRuns, announceServer } from '../settings/running-server.js'
import type { ServerSettings } from '../settings/server-settings.js'

/**
 * Starts a server and announces its address to other commands on this machine.
 * @returns the server; its `stop` also withdraws the address
 * @throws {CliError} if it cannot listen or has no place for its data
 */
export async function startLocalServer(settings: ServerSettings): Promise<OrreryServer> {
  try {
    makeFolder(settings.dataDir)
  } catch (cause) {
    throw new CliError(`Cannot make the folder ${settings.dataDir}: choose another with --data-dir`, undefined, { cause })
  }
  const [{ startServer }, { fingerprintOf }] = await Promise.all([import('@orrery/server'), import('@orrery/aip/node')])
  try {
    const server = await startServer(settings)
    const withdraw = announceServer(localUrl(settings, server.port), settings.tls && fingerprintOf(settings.tls.cert))
    return {
      ...server,
      url: localUrl(settings, server.port),
      async stop() {
        withdraw()
        await server.stop()
      },
    }
  } catch (error) {
    throw inWords(error, settings)
  }
}

/** The address under which this machine reaches a server; one that listens everywhere is also on loopback. */
function localUrl({ host, tls }: ServerSettings, port: number): string {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `${tls === undefined ? 'http' : 'https'}://${name.includes(':') ? `[${name}]` : name}:${port}`
}

function inWords(error: unknown, { host, port }: ServerSettings): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  switch (error.code) {
    case 'IN_USE': {
      const owner = 'owner' in error && typeof error.owner === 'number' ? error.owner : null
      return new CliError(`${alreadyRuns(owner)}. Use it, stop it, or start another with --data-dir and --port`, undefined, {
        cause: error,
      })
    }
    case 'EADDRINUSE':
      return new CliError(`Port ${port} is in use: stop the other program or choose another with --port`, undefined, {
        cause: error,
      })
    case 'EACCES':
      return new CliError(`Port ${port} is not allowed for this user: choose one above 1023 with --port`, undefined, {
        cause: error,
      })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return usageError(`'${host}' is not an address of this machine: choose another with --host`, error)
    default:
      return error
  }
}
