import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A D-Bus session bus of its own. */
export interface SessionBus extends AsyncDisposable {
  /** For `DBUS_SESSION_BUS_ADDRESS`. */
  address: string
}

/** Starts a bus; what it starts gets this environment. */
export async function sessionBus(env: NodeJS.ProcessEnv): Promise<SessionBus> {
  const child = spawn('dbus-daemon', ['--session', '--nofork', '--print-address=1'], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  const [address] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    address: address.toString().trim(),
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}
