/** The bounds of the desktop tools: sizes in bytes, times in milliseconds. */
export const DESKTOP_LIMITS = {
  /** Longest side of a picture in pixels; models scale larger ones down by themselves, and see less then. */
  side: 1568,
  /** A picture as it is sent; a larger PNG becomes a JPEG. */
  picture: 900 * 1024,
  /** A picture in full size. */
  fullPicture: 32 * 1024 * 1024,
  /** Objects of a window that are looked at, and levels of them within each other. */
  controls: 1000,
  controlDepth: 50,
  /** All questions to the programs of one call. */
  accessibility: 20_000,
  /** How long a control that was given the keyboard may take to report that it has it. */
  focus: 2000,
  /** Time between two checks whether it has. */
  focusLook: 20,
  /** Windows that are listed. */
  windows: 100,
  /** Characters that are typed at once. */
  text: 10_000,
  /** Keys that are pressed at once. */
  keys: 50,
  clicks: 5,
  scroll: 50,
  /** One helper program. */
  time: 30_000,
  /** Seconds that `wait` waits at most, as existing agents know it. */
  wait: 300,
  /** Seconds that a drag takes at most. */
  drag: 20,
} as const
