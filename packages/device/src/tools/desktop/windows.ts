import { DESKTOP_LIMITS } from './limits.js'
import type { X11 } from './x11.js'
import { deviceError, isDeviceError } from '../../errors.js'

/** A place on the screen in pixels. */
export interface Area {
  x: number
  y: number
  width: number
  height: number
}

/** A window that can be seen. */
export interface DesktopWindow extends Area {
  /** Its number in X11, as text. */
  id: string
  title: string
  pid: number | null
  active: boolean
}

/** The windows that can be seen and have a title. @throws as {@link X11.run} */
export async function listWindows(x11: X11, signal: AbortSignal): Promise<DesktopWindow[]> {
  // It fails when there is none.
  const found = await x11.xdotool(['search', '--onlyvisible', '--name', '.+'], signal).catch(unlessUnsupported(''))
  const active = (await x11.xdotool(['getwindowfocus'], signal).catch(unlessUnsupported(''))).trim()
  const ids = found.split('\n').filter((line) => /^\d+$/.test(line))
  const windows: DesktopWindow[] = []
  for (const id of ids.slice(0, DESKTOP_LIMITS.windows)) {
    // A window may close while it is examined.
    const window = await describeWindow(x11, id, active, signal).catch(unlessUnsupported(null))
    if (window !== null && window.width > 1 && window.height > 1) windows.push(window)
  }
  return windows
}

/** Finds a window by its id. @throws AipError `NO_SUCH_ITEM` */
export async function findWindow(x11: X11, id: string, signal: AbortSignal): Promise<DesktopWindow> {
  if (!/^\d{1,10}$/.test(id)) throw deviceError('NO_SUCH_ITEM', { what: 'window', id })
  const window = await describeWindow(x11, id, '', signal).catch(unlessUnsupported(null))
  if (window === null) throw deviceError('NO_SUCH_ITEM', { what: 'window', id })
  return window
}

/** Puts a window in front and gives it the keyboard. */
export async function focusWindow(x11: X11, id: string, signal: AbortSignal): Promise<void> {
  await x11.xdotool(['windowraise', id], signal)
  // A window manager wants to be asked; without one, the focus is set directly.
  const asked = await x11.xdotool(['windowactivate', id], signal).then(
    () => true,
    () => false,
  )
  if (!asked) await x11.xdotool(['windowfocus', id], signal)
}

/** The whole screen. */
export async function screenArea(x11: X11, signal: AbortSignal): Promise<Area> {
  const [width = 0, height = 0] = (await x11.xdotool(['getdisplaygeometry'], signal)).trim().split(' ').map(Number)
  return { x: 0, y: 0, width, height }
}

async function describeWindow(x11: X11, id: string, active: string, signal: AbortSignal): Promise<DesktopWindow> {
  const title = (await x11.xdotool(['getwindowname', id], signal)).trimEnd()
  const geometry = await x11.xdotool(['getwindowgeometry', '--shell', id], signal)
  const number = (name: string): number => Number(new RegExp(`^${name}=(-?\\d+)$`, 'm').exec(geometry)?.[1] ?? 0)
  // Not every program reports its process.
  const pid = await x11.xdotool(['getwindowpid', id], signal).catch(() => '')
  return {
    id,
    title,
    pid: /^\d+\s*$/.test(pid) ? Number(pid) : null,
    active: id === active,
    x: number('X'),
    y: number('Y'),
    width: number('WIDTH'),
    height: number('HEIGHT'),
  }
}

/** For calls that may fail, unless the failure is permanent. */
function unlessUnsupported<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (isDeviceError(error, 'TOOL_FAILED')) return value
    throw error
  }
}
