import { isAipError, AIPProtocol, aipError, type Clock, type Logger, type Transport } from '@orrery/aip'
import { TRANSFER_SOCKET, WebSocketTransport, withKeyInHeader, type ServerTrust } from '@orrery/aip/node'
import { deviceError } from '../errors.js'

/** The connection of one file transfer. Disposing of it closes it. */
export interface TransferConnection extends AsyncDisposable {
  readonly aip: AIPProtocol<'client'>
  /**
   * Waits until the server has taken everything that was sent, which it says by closing the connection.
   * @throws AipError `TRANSFER_CUT` if it closes for another reason
   */
  taken(): Promise<void>
}

/** Makes the connections of file transfers. */
export interface Transfers {
  /**
   * @param id of the transfer, a UUID
   * @param signal cuts the connection, also while it is in use
   * @throws AipError `TRANSFER_REFUSED`, `CONNECT_FAILED`
   */
  dial(id: string, signal: AbortSignal): Promise<TransferConnection>
}

/** For a device without a server. */
export const NO_TRANSFERS: Transfers = { dial: () => Promise.reject(deviceError('TRANSFER_REFUSED')) }

/** What a {@link TransferDialer} is built from. */
export interface TransferDialerOptions {
  /** The address of the server, as the device dials it. */
  wsUrl: string
  /** Which certificate of it counts. */
  trust?: ServerTrust | undefined
  clock: Clock
  logger: Logger
}

/**
 * Dials the connections of file transfers: to the server that the device is configured for and nowhere else, whatever a message says.
 * The device shows the key that the server gave to its registered connection.
 */
export class TransferDialer implements Transfers {
  readonly #options: TransferDialerOptions
  #key: string | null = null

  constructor(options: TransferDialerOptions) {
    this.#options = options
  }

  /** Takes the key of the current connection; null if its server has no file transfer. */
  agree(key: string | null): void {
    this.#key = key
  }

  async dial(id: string, signal: AbortSignal): Promise<TransferConnection> {
    const { clock, logger } = this.#options
    const transport = await this.connect(id, signal)
    const cut = (): void => transport.terminate()
    signal.addEventListener('abort', cut, { once: true })
    if (signal.aborted) cut()
    return {
      aip: new AIPProtocol(transport, { side: 'client', clock, logger }),
      async taken() {
        const { code, reason } = await transport.closed
        if (code !== 1000) throw aipError('TRANSFER_CUT', { detail: reason === '' ? `the server closed it (${code})` : reason })
      },
      async [Symbol.asyncDispose]() {
        signal.removeEventListener('abort', cut)
        await transport.close(1000)
      },
    }
  }

  /** Makes a connection for other bytes than those of a file. @param signal stops dialling @throws as {@link dial} */
  connect(id: string, signal: AbortSignal): Promise<Transport> {
    const { wsUrl, trust, clock } = this.#options
    if (this.#key === null) return Promise.reject(deviceError('TRANSFER_REFUSED'))
    // Only Orrery's servers have file transfers, and they take the key from the header.
    const server = withKeyInHeader(wsUrl)
    const url = new URL(server.url)
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/transfers/${encodeURIComponent(id)}`
    const headers = { ...server.headers, 'x-orrery-transfer-key': this.#key }
    return WebSocketTransport.connect(url.href, { ...TRANSFER_SOCKET, clock, headers, signal, trust }).catch(refusal)
  }
}

/** The server does not say why it rejects a connection. */
function refusal(error: unknown): never {
  throw isAipError(error, 'UNAUTHORIZED') ? deviceError('TRANSFER_REFUSED') : error
}
