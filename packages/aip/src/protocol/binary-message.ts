import { wireTime } from '../clock.js'
import { parseObject } from '../codec.js'
import { aipError } from '../errors.js'
import { shown, type AIPProtocol } from './aip-protocol.js'

/** Data and what its sender says about it. */
export interface BinaryMessage {
  data: Uint8Array
  metadata: Record<string, unknown>
}

/**
 * Sends data as a text frame that describes it and one binary frame (protocol reference, chapter 10).
 * @param metadata goes with it, e.g. `filename`, `mime_type`, `checksum`; `type`, `size` and `timestamp` are added
 */
export async function sendBinaryMessage(
  { transport, clock }: AIPProtocol,
  data: Uint8Array,
  metadata: Record<string, unknown> = {},
): Promise<void> {
  const header = { type: 'binary_data', size: data.byteLength, timestamp: wireTime(clock.now()), ...metadata }
  await transport.send(JSON.stringify(header))
  await transport.send(data)
}

/**
 * Waits for what {@link sendBinaryMessage} sends.
 * @throws AipError `INVALID_MESSAGE`, `BINARY_EXPECTED`, `SIZE_MISMATCH` or `CONNECTION_CLOSED`
 */
export async function receiveBinaryMessage({ transport, logger }: AIPProtocol): Promise<BinaryMessage> {
  const metadata = parseObject(await transport.receive())
  if (metadata['type'] !== 'binary_data') logger.warn(`Expected binary_data metadata, got: ${shown(metadata['type'])}`)
  const data = await transport.receive()
  if (typeof data === 'string') throw aipError('BINARY_EXPECTED')
  const size = metadata['size']
  if (typeof size === 'number' && size !== data.byteLength) {
    throw aipError('SIZE_MISMATCH', { expected: size, actual: data.byteLength })
  }
  return { data, metadata }
}
