import { defineLimits, limit, limitValues } from '@orrery/aip'

/** The limits of the desktop tools. */
export const DESKTOP_LIMITS_TABLE = defineLimits({
  side: limit(1568, 'pixels', 'The longest side of a picture; models scale larger ones down by themselves, and see less then.'),
  picture: limit(900 * 1024, 'bytes', 'A picture as it is sent; a larger PNG becomes a JPEG.'),
  fullPicture: limit(32 * 1024 * 1024, 'bytes', 'A picture in full size.'),
  controls: limit(1000, 'objects', 'Objects of a window that are looked at.'),
  controlDepth: limit(50, 'levels', 'Objects of a window within each other.'),
  accessibility: limit(20_000, 'ms', 'All questions of one call to the programs.'),
  focus: limit(2000, 'ms', 'How long a control may take to get the keyboard.'),
  focusLook: limit(20, 'ms', 'From one look whether it has to the next.'),
  windows: limit(100, 'windows', 'Windows that are listed.'),
  text: limit(10_000, 'characters', 'What is typed at once.'),
  keys: limit(50, 'keys', 'Keys that are pressed at once.'),
  clicks: limit(5, 'clicks', 'Clicks of one call.'),
  scroll: limit(50, 'steps', 'Steps that are scrolled at once.'),
  time: limit(30_000, 'ms', 'One helper program.'),
  wait: limit(300, 'seconds', 'What `wait` waits, as existing agents know it.'),
  drag: limit(20, 'seconds', 'How long a drag takes.'),
})

/** The values of {@link DESKTOP_LIMITS_TABLE} by name. */
export const DESKTOP_LIMITS = limitValues(DESKTOP_LIMITS_TABLE)
