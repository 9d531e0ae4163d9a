import type { McpServer } from '@modelcontextprotocol/server'
import type { ToolContext } from '../tool-context.js'
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

/** The tools of the server `desktop`. */
export const DESKTOP_TOOLS = [
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
] as const

/** The built-in server `desktop`: the screen, the mouse and the keyboard of a Linux machine with X11. */
export async function createDesktopServer({ env, clock }: ToolContext): Promise<McpServer> {
  const { McpServer } = await import('@modelcontextprotocol/server')
  const server = new McpServer({ name: 'desktop', version: '1.0.0' })
  const state = new DesktopState(new X11(env, clock), new Accessibility(env, clock), clock)
  for (const tool of DESKTOP_TOOLS) tool.register(server, state)
  return server
}
