/** Decides how fast the frames of a connection are delivered. */
export interface Pace {
  /**
   * Returns whether a frame may be delivered now.
   * @param again if not, called when it is worth asking again
   */
  admits(again: () => void): boolean
}
