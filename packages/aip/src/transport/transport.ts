/** Life of a transport (seed 004: a message may be sent only while connected). */
export type TransportState = 'disconnected' | 'connecting' | 'connected' | 'disconnecting' | 'error'

/** How a connection ended: a WebSocket close code, and its reason. 1006 means that no close frame was seen. */
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
   * @throws AipError `NOT_CONNECTED`, `CONNECTION_CLOSED` or `SEND_FAILED`
   */
  send(frame: string | Uint8Array): Promise<void>
  /**
   * Waits for the next frame. One caller at a time.
   * @throws AipError `CONNECTION_CLOSED` once the connection has ended and all frames were taken
   */
  receive(): Promise<string | Uint8Array>
  /**
   * Gives every frame to `deliver` as it comes, in place of {@link receive}; those that wait go first. It costs less than a promise for
   * each frame.
   * @param deliver must not throw
   * @returns how the connection ended, once it has
   */
  deliverTo(deliver: (frame: string | Uint8Array) => void): Promise<CloseInfo>
  /** Ends the connection; settles when it has ended. May be called again. */
  close(code?: number, reason?: string): Promise<void>
  /** Asks the peer for a sign of life. @param timeoutMs how long it has for that @returns whether one came */
  isAlive(timeoutMs: number): Promise<boolean>
  /** Changes how often the peer is asked for a sign of life, and after how long without one it is dropped, in milliseconds. */
  setKeepAlive(intervalMs: number, timeoutMs: number): void
  /** Drops the connection without a closing handshake. */
  terminate(): void
}
