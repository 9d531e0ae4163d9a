import { aipError } from '@orrery/aip'
import type { Area } from './windows.js'
import type { X11 } from './x11.js'

/** Numbers of X11. */
const BUTTONS = { left: 1, middle: 2, right: 3, x: 8 } as const
const WHEEL = { up: 4, down: 5, left: 6, right: 7 } as const
/** Milliseconds between two clicks of one call, and between two steps of the wheel. */
const CLICK_DELAY = 60
const WHEEL_DELAY = 8
const DRAG_STEPS = 12

/** A button of the mouse. */
export type MouseButton = keyof typeof BUTTONS

/** A place on the screen in pixels. */
export interface Point {
  x: number
  y: number
}

/** A place in an area. @param x part of its width, 0 to 1. @param y part of its height, 0 to 1 */
export function pointIn(area: Area, x: number, y: number): Point {
  const within = (part: number, size: number): number => Math.min(size - 1, Math.round(part * size))
  return { x: area.x + within(x, area.width), y: area.y + within(y, area.height) }
}

/** Makes sure that places are on the screen: the mouse would stop at its edge. @throws AipError `INVALID_INPUT`, and as {@link X11.run} */
export async function requireOnScreen(x11: X11, places: readonly Point[], signal: AbortSignal): Promise<void> {
  const [width = 0, height = 0] = (await x11.xdotool(['getdisplaygeometry'], signal)).trim().split(' ').map(Number)
  for (const { x, y } of places) {
    if (x < width && y < height) continue
    throw aipError('INVALID_INPUT', { detail: `${x}, ${y} is outside of the screen, which has ${width} x ${height} pixels` })
  }
}

/** Clicks, this many times. @throws as {@link X11.run}, like everything here */
export async function clickAt(x11: X11, { x, y }: Point, button: MouseButton, count: number, signal: AbortSignal): Promise<void> {
  await x11.xdotool(['mousemove', x, y, 'click', '--repeat', count, '--delay', CLICK_DELAY, BUTTONS[button]], signal)
}

/** Turns the wheel. */
export async function scrollAt(
  x11: X11,
  { x, y }: Point,
  direction: keyof typeof WHEEL,
  steps: number,
  signal: AbortSignal,
): Promise<void> {
  await x11.xdotool(['mousemove', x, y, 'click', '--repeat', steps, '--delay', WHEEL_DELAY, WHEEL[direction]], signal)
}

/** Drags. It moves in steps: programs take a jump for something else than dragging. */
export async function dragBetween(
  x11: X11,
  from: Point,
  to: Point,
  { button, seconds, key = null }: { button: MouseButton; seconds: number; key?: string | null },
  signal: AbortSignal,
): Promise<void> {
  const parts = Array.from({ length: DRAG_STEPS }, (_, index) => (index + 1) / DRAG_STEPS)
  const between = (start: number, end: number, part: number): number => Math.round(start + (end - start) * part)
  const steps = parts.flatMap((part) => [
    'mousemove',
    between(from.x, to.x, part),
    between(from.y, to.y, part),
    'sleep',
    seconds / DRAG_STEPS,
  ])
  const number = BUTTONS[button]
  const [hold, release] =
    key === null
      ? [[], []]
      : [
          ['keydown', key],
          ['keyup', key],
        ]
  try {
    await x11.xdotool(
      [...hold, 'mousemove', from.x, from.y, 'mousedown', number, ...steps, 'mouseup', number, ...release],
      signal,
    )
  } catch (error) {
    // Cancelled half-way: nothing must stay pressed.
    await x11.xdotool(['mouseup', number, ...release], new AbortController().signal).catch(() => {})
    throw error
  }
}
