import { aipError, type Clock } from '@orrery/aip'
import type { Accessibility } from './accessibility.js'
import type { Control } from './controls.js'
import { findWindow, type DesktopWindow } from './windows.js'
import type { X11 } from './x11.js'
import { deviceError } from '../../errors.js'

/** What the desktop tools share: the screen, the window that was selected, and the controls that were listed of it. */
export class DesktopState {
  readonly x11: X11
  readonly accessibility: Accessibility
  readonly clock: Clock
  /** Of the selected window, as they were last listed. */
  controls: readonly Control[] = []
  #selected: string | null = null

  constructor(x11: X11, accessibility: Accessibility, clock: Clock) {
    this.x11 = x11
    this.accessibility = accessibility
    this.clock = clock
  }

  /** Makes a window the one that is worked on. */
  select(id: string): void {
    this.#selected = id
    this.controls = []
  }

  /** The selected window where it is now. @throws AipError `INVALID_INPUT` if none is selected, `NO_SUCH_ITEM` if it has gone */
  async window(signal: AbortSignal): Promise<DesktopWindow> {
    if (this.#selected === null)
      throw aipError('INVALID_INPUT', { detail: 'No window is selected, please select a window first.' })
    return findWindow(this.x11, this.#selected, signal)
  }

  /** A listed control. @throws AipError `INVALID_INPUT` if none were listed, `NO_SUCH_ITEM` with the ids that there are */
  control(id: string): Control {
    const control = this.controls.find((each) => each.id === id)
    if (control !== undefined) return control
    if (this.controls.length > 0) throw deviceError('NO_SUCH_ITEM', { what: 'control', id })
    const detail = 'No controls are listed, please call get_app_window_controls_target_info first.'
    throw aipError('INVALID_INPUT', { detail })
  }
}
