import { defineServer } from '../built-in-server.js'
import {
  click,
  clickOnCoordinates,
  drag,
  dragOnCoordinates,
  pressKeys,
  scroll,
  selectWindow,
  typeText,
  wait,
} from './act-tools.js'
import { clickInput, keyboardInput, setEditText, summary, texts, wheelMouseInput } from './control-act-tools.js'
import { controlTargets, controlsInfo, desktopTargets, uiTree, windowInfo } from './control-look-tools.js'
import { Accessibility } from './accessibility.js'
import { DesktopState } from './desktop-state.js'
import { captureDesktop, captureWindow, desktopAppInfo, listDesktopWindows, screenshot } from './look-tools.js'
import { X11 } from './x11.js'

/** The built-in server `desktop`: the screen, the mouse and the keyboard of a Linux machine with X11. */
export const desktopServer = defineServer<DesktopState>(
  'desktop',
  () => [
    screenshot,
    captureDesktop,
    captureWindow,
    listDesktopWindows,
    desktopAppInfo,
    desktopTargets,
    windowInfo,
    controlsInfo,
    controlTargets,
    uiTree,
    selectWindow,
    click,
    clickOnCoordinates,
    drag,
    dragOnCoordinates,
    scroll,
    typeText,
    pressKeys,
    clickInput,
    setEditText,
    keyboardInput,
    wheelMouseInput,
    texts,
    wait,
    summary,
  ],
  ({ env, clock }) => ({ state: new DesktopState(new X11(env, clock), new Accessibility(env, clock), clock) }),
)
