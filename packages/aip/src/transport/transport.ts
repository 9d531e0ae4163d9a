import type { Pace } from './pace.js'

/** State of a transport (seed 004: a message may be sent only while connected). */
export type TransportState = 'disconnected' | 'connecting' | 'connected' | 'disconnecting' | 'error'

/** How a connection ended: a WebSocket close code and its reason. 1006 means that no close frame was received. */
export interface CloseInfo {
  code: number
  reason: string
}

/** Carries frames between two peers. Text frames are messages; binary frames belong to file transfer. */
export interface Transport {
  readonly state: TransportState
  /** Settles when the connection has ended; never rejects. */
  readonly closed: Promise<CloseInfo>
  /**
   * Sends one frame.
   * @param isText whether it is a text frame; bytes may be the UTF-8 of one. Default: if it is a string
   * @throws AipError `NOT_CONNECTED`, `CONNECTION_CLOSED` or `SEND_FAILED`
   */
  send(frame: string | Uint8Array, isText?: boolean): Promise<void>
  /**
   * Waits for the next frame. One caller at a time.
   * @throws AipError `CONNECTION_CLOSED` once the connection has ended and all frames were taken
   */
  receive(): Promise<string | Uint8Array>
  /**
   * Hands every frame to `deliver` as it arrives, instead of {@link receive}; waiting ones come first. It costs less than a promise for
   * each frame.
   * @param deliver must not throw
   * @param pace how fast; while a frame waits for it, nothing is read
   * @returns how the connection ended, once it has
   */
  deliverTo(deliver: (frame: string | Uint8Array) => void, pace?: Pace): Promise<CloseInfo>
  /** Closes the connection; settles when it has ended. May be called again. */
  close(code?: number, reason?: string): Promise<void>
  /** Closes the connection of a peer that broke a limit: drops what it still sends, and a second later the connection. */
  refuse(code: number, reason: string): void
  /** Asks the peer for a sign of life. @param timeoutMs how long to wait for it @returns whether it came */
  isAlive(timeoutMs: number): Promise<boolean>
  /** Changes the interval of pings, and the silence after which the peer is dropped, in milliseconds. */
  setKeepAlive(intervalMs: number, timeoutMs: number): void
  /** Changes how much data may wait behind the largest frame of a peer that reads slowly, in bytes. */
  setMaxUnsent(bytes: number): void
  /** Drops the connection without a closing handshake. */
  terminate(): void
}
