import {
  AipError,
  LIMITS,
  PINGS_PER_SILENCE,
  TerminalOpening,
  aipError,
  logError,
  terminalFrame,
  withTimeLimit,
} from '@orrery/aip'
import type { Clock, Logger, TerminalReport, Transport } from '@orrery/aip'
import type { Fleet } from '../fleet/fleet.js'
import type { Principal } from '../identity/principal.js'
import { serverError } from '../errors.js'

/** What a {@link serveTerminal} works with. */
export interface TerminalSocketParts {
  fleet: Fleet
  clock: Clock
  logger: Logger
}

/**
 * Serves an operator's connection for a terminal: its first message says what to run. Why there is no terminal is reported over the connection,
 * because a browser sees nothing of a refused handshake. Never rejects.
 */
export async function serveTerminal(
  operator: Transport,
  principal: Principal,
  deviceId: string,
  { fleet, clock, logger }: TerminalSocketParts,
): Promise<void> {
  operator.setKeepAlive(LIMITS.resumeSilence / PINGS_PER_SILENCE, LIMITS.resumeSilence)
  const gone = new AbortController()
  void operator.closed.then(() => gone.abort())
  try {
    const limits = { clock, ms: LIMITS.terminalStart, operation: 'The first message', signal: gone.signal }
    const frame = await withTimeLimit(operator.receive(), limits)
    const opening = typeof frame === 'string' ? terminalFrame(TerminalOpening, frame) : null
    if (opening === null)
      throw aipError('INVALID_INPUT', {
        detail: 'The first message must be {"type":"open","columns":80,"rows":24}, with a program if not the shell is meant',
      })
    const { type: _, ...wanted } = opening
    const terminal = await fleet.terminals.open(principal, deviceId, wanted, gone.signal)
    await terminal.serve(operator)
  } catch (error) {
    if (!(error instanceof AipError)) logError(logger, '[Terminal] It could not be opened', error)
    const known = error instanceof AipError ? error : serverError('INTERNAL')
    const report: TerminalReport = { type: 'refused', code: known.code, detail: known.message }
    await operator.send(JSON.stringify(report)).catch(() => {})
    await operator.close(1000)
  }
}
