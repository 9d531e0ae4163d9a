import { AipError, messageOf, withTimeLimit, type Clock } from '@orrery/aip'
import { DBusConnection } from '../../dbus/dbus-connection.js'
import type { Environment } from '../../process/child-environment.js'
import { AccessibleObjects, announceListener } from './accessible.js'
import { DESKTOP_LIMITS } from './limits.js'
import { deviceError } from '../../errors.js'

/** The accessibility bus of the desktop (AT-SPI), on which programs report the contents of their windows. */
export class Accessibility {
  readonly #env: Environment
  readonly #clock: Clock

  constructor(env: Environment, clock: Clock) {
    this.#env = env
    this.#clock = clock
  }

  /**
   * Connects for as long as some work takes.
   * @throws AipError `NOT_SUPPORTED` where there is no such bus, `TIMEOUT` when a program does not answer, `TOOL_CANCELLED`,
   * `TOOL_FAILED` when the bus is lost; and what the work throws
   */
  async use<T>(signal: AbortSignal, work: (objects: AccessibleObjects) => Promise<T>): Promise<T> {
    const limit = { clock: this.#clock, ms: DESKTOP_LIMITS.accessibility, operation: 'The accessibility bus', signal }
    const connecting = this.#connect()
    try {
      const connection = await withTimeLimit(connecting, limit)
      return await withTimeLimit(work(new AccessibleObjects(connection, this.#clock)), limit)
    } catch (error) {
      if (error instanceof AipError) throw error
      throw deviceError('TOOL_FAILED', { tool: 'accessibility', detail: messageOf(error) })
    } finally {
      void connecting.then(
        (connection) => connection.close(),
        () => {},
      )
    }
  }

  async #connect(): Promise<DBusConnection> {
    try {
      return await DBusConnection.open(this.#env['AT_SPI_BUS_ADDRESS'] ?? (await this.#address()))
    } catch (error) {
      const detail = `${messageOf(error)} (a session bus and the package at-spi2-core are needed; Debian: apt-get install at-spi2-core)`
      throw deviceError('NOT_SUPPORTED', { what: 'Looking into windows', detail })
    }
  }

  /** The session's bus knows where it is, and starts it. */
  async #address(): Promise<string> {
    const runtime = this.#env['XDG_RUNTIME_DIR']
    const address = this.#env['DBUS_SESSION_BUS_ADDRESS'] ?? (runtime === undefined ? undefined : `unix:path=${runtime}/bus`)
    if (address === undefined) throw new Error('DBUS_SESSION_BUS_ADDRESS is not set')
    const session = await DBusConnection.open(address)
    try {
      const bus = { destination: 'org.a11y.Bus', path: '/org/a11y/bus', interface: 'org.a11y.Bus' }
      const [found] = await session.call({ ...bus, member: 'GetAddress' })
      await announceListener(session)
      if (typeof found !== 'string') throw new Error('the session bus does not know the accessibility bus')
      return found
    } finally {
      session.close()
    }
  }
}
