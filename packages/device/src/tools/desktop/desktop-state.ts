import { aipError, type Clock } from '@orrery/aip'
import { findWindow, type DesktopWindow } from './windows.js'
import type { X11 } from './x11.js'

/** What the desktop tools share: the screen, and the window that was selected. */
export class DesktopState {
  readonly x11: X11
  readonly clock: Clock
  selected: string | null = null

  constructor(x11: X11, clock: Clock) {
    this.x11 = x11
    this.clock = clock
  }

  /** The selected window where it is now. @throws AipError `INVALID_INPUT` if none is selected, `NO_SUCH_ITEM` if it has gone */
  async window(signal: AbortSignal): Promise<DesktopWindow> {
    if (this.selected === null)
      throw aipError('INVALID_INPUT', { detail: 'No window is selected, please select a window first.' })
    return findWindow(this.x11, this.selected, signal)
  }
}
