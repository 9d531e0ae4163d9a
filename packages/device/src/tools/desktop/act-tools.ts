import { aipError, sleep } from '@orrery/aip'
import { z } from 'zod'
import { defineTool, type ToolHints } from '../define-tool.js'
import type { DesktopState } from './desktop-state.js'
import { KEY_DELAY, typeCharacters } from './keyboard.js'
import { DESKTOP_LIMITS } from './limits.js'
import { clickAt, dragBetween, pointIn, requireOnScreen, scrollAt } from './mouse.js'
import { findWindow, focusWindow } from './windows.js'

/** What a click or a key does is up to the program that gets it: it may send, pay or delete. */
const ACTS: ToolHints = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true }
const NOTHING = (): Record<string, never> => ({})
const DONE = z.object({ result: z.string() })

const BUTTON = z.enum(['left', 'middle', 'right', 'x']).default('left')
const PIXEL = z.number().int().min(0).max(100_000).describe('Pixels of the screen')
const FRACTION = z.number().min(0).max(1).describe('Part of the width or height of the selected window, 0 to 1')

/** `select_application_window`: the window that the tools of existing agents work on. */
export const selectWindow = defineTool({
  name: 'select_application_window',
  title: 'Select a window',
  description:
    'Puts a window in front, gives it the keyboard, and makes it the one that click_on_coordinates, drag_on_coordinates and capture_window_screenshot work on.',
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: true },
  input: z.object({
    id: z.string().describe('An id of list_windows'),
    name: z.string().default('').describe('Its title; not needed'),
  }),
  output: z.object({
    root_name: z.string(),
    window_info: z.object({
      id: z.string(),
      title: z.string(),
      x: z.number(),
      y: z.number(),
      width: z.number(),
      height: z.number(),
    }),
  }),
  describeCall: NOTHING,
  run: async ({ id }, state: DesktopState, signal) => {
    if (id === '') throw aipError('INVALID_INPUT', { detail: 'Window id is required for select_application_window' })
    const { title, x, y, width, height } = await findWindow(state.x11, id, signal)
    await focusWindow(state.x11, id, signal)
    state.select(id)
    return { root_name: title, window_info: { id, title, x, y, width, height } }
  },
})

/** `click`: a click anywhere on the screen. */
export const click = defineTool({
  name: 'click',
  title: 'Click',
  description: 'Clicks with the mouse at a place of the screen. A program may need a moment to react: take a screenshot to see.',
  hints: ACTS,
  input: z.object({
    x: PIXEL,
    y: PIXEL,
    button: BUTTON,
    count: z.number().int().min(1).max(DESKTOP_LIMITS.clicks).default(1).describe('2 is a double click'),
  }),
  output: DONE,
  describeCall: NOTHING,
  run: async ({ x, y, button, count }, state: DesktopState, signal) => {
    await requireOnScreen(state.x11, [{ x, y }], signal)
    await clickAt(state.x11, { x, y }, button, count, signal)
    return { result: `Clicked ${button} at ${x}, ${y}` }
  },
})

/** `click_on_coordinates`: a click in the selected window, as existing agents know it. */
export const clickOnCoordinates = defineTool({
  name: 'click_on_coordinates',
  title: 'Click in the selected window',
  description: 'Clicks in the window that select_application_window has selected; x and y are parts of its width and height.',
  hints: ACTS,
  input: z.object({ x: FRACTION, y: FRACTION, button: BUTTON, double: z.boolean().default(false) }),
  output: DONE,
  describeCall: NOTHING,
  run: async ({ x, y, button, double }, state: DesktopState, signal) => {
    await clickAt(state.x11, pointIn(await state.window(signal), x, y), button, double ? 2 : 1, signal)
    return { result: `Executed action click_on_coordinates, please check the application for whether it took effect.` }
  },
})

/** `drag`: from one place of the screen to another. */
export const drag = defineTool({
  name: 'drag',
  title: 'Drag',
  description: 'Presses a mouse button at one place of the screen, moves to another, and lets it go.',
  hints: ACTS,
  input: z.object({ start_x: PIXEL, start_y: PIXEL, end_x: PIXEL, end_y: PIXEL, button: BUTTON }),
  output: DONE,
  describeCall: NOTHING,
  run: async (args, state: DesktopState, signal) => {
    const from = { x: args.start_x, y: args.start_y }
    const to = { x: args.end_x, y: args.end_y }
    await requireOnScreen(state.x11, [from, to], signal)
    await dragBetween(state.x11, from, to, { button: args.button, seconds: 0.3 }, signal)
    return { result: `Dragged from ${from.x}, ${from.y} to ${args.end_x}, ${args.end_y}` }
  },
})

/** `drag_on_coordinates`: dragging in the selected window, as existing agents know it. */
export const dragOnCoordinates = defineTool({
  name: 'drag_on_coordinates',
  title: 'Drag in the selected window',
  description: 'Drags in the window that select_application_window has selected; places are parts of its width and height.',
  hints: ACTS,
  input: z.object({
    start_x: FRACTION,
    start_y: FRACTION,
    end_x: FRACTION,
    end_y: FRACTION,
    button: BUTTON,
    duration: z.number().min(0).max(DESKTOP_LIMITS.drag).default(1).describe('Seconds'),
    key_hold: z.enum(['ctrl', 'shift', 'alt', 'super']).nullish().describe('A key that is held down meanwhile'),
  }),
  output: DONE,
  describeCall: NOTHING,
  run: async (args, state: DesktopState, signal) => {
    const window = await state.window(signal)
    const [from, to] = [pointIn(window, args.start_x, args.start_y), pointIn(window, args.end_x, args.end_y)]
    await dragBetween(state.x11, from, to, { button: args.button, seconds: args.duration, key: args.key_hold ?? null }, signal)
    return { result: `Executed action drag_on_coordinates, please check the application for whether it took effect.` }
  },
})

/** `scroll`: the wheel. */
export const scroll = defineTool({
  name: 'scroll',
  title: 'Scroll',
  description: 'Turns the mouse wheel at a place of the screen.',
  hints: { ...ACTS, destructiveHint: false },
  input: z.object({
    x: PIXEL,
    y: PIXEL,
    direction: z.enum(['up', 'down', 'left', 'right']).default('down'),
    steps: z.number().int().min(1).max(DESKTOP_LIMITS.scroll).default(3).describe('A step is about three lines'),
  }),
  output: DONE,
  describeCall: NOTHING,
  run: async ({ x, y, direction, steps }, { x11 }: DesktopState, signal) => {
    await requireOnScreen(x11, [{ x, y }], signal)
    await scrollAt(x11, { x, y }, direction, steps, signal)
    return { result: `Scrolled ${direction} by ${steps}` }
  },
})

/** `type_text`: the keyboard, character by character. */
export const typeText = defineTool({
  name: 'type_text',
  title: 'Type text',
  description:
    'Types a text, as by hand, into the window that has the keyboard, or into the one of window_id. A line end is the Return key.',
  hints: ACTS,
  input: z.object({
    text: z.string().min(1).max(DESKTOP_LIMITS.text),
    window_id: z.string().optional().describe('Gets the keyboard first'),
  }),
  output: DONE,
  describeCall: NOTHING,
  run: async ({ text, window_id: id }, { x11 }: DesktopState, signal) => {
    if (id !== undefined) await focusWindow(x11, (await findWindow(x11, id, signal)).id, signal)
    await typeCharacters(x11, text, signal)
    return { result: `Typed ${text.length} characters` }
  },
})

/** `press_keys`: single keys and combinations. */
export const pressKeys = defineTool({
  name: 'press_keys',
  title: 'Press keys',
  description:
    'Presses keys or combinations, one after the other, e.g. ["ctrl+s", "Return", "Tab", "alt+F4", "Page_Down"] (names of X11).',
  hints: ACTS,
  input: z.object({
    keys: z
      .array(z.string().regex(/^[A-Za-z0-9_]+(\+[A-Za-z0-9_]+)*$/))
      .min(1)
      .max(DESKTOP_LIMITS.keys),
    window_id: z.string().optional().describe('Gets the keyboard first'),
  }),
  output: DONE,
  describeCall: NOTHING,
  run: async ({ keys, window_id: id }, { x11 }: DesktopState, signal) => {
    if (id !== undefined) await focusWindow(x11, (await findWindow(x11, id, signal)).id, signal)
    await x11.xdotool(['key', '--clearmodifiers', '--delay', KEY_DELAY, ...keys], signal)
    return { result: `Pressed ${keys.join(', ')}` }
  },
})

/** `wait`: time for a program to react, as existing agents know it. */
export const wait = defineTool({
  name: 'wait',
  title: 'Wait',
  description: `Waits some seconds, at most ${DESKTOP_LIMITS.wait}, so that a program can react.`,
  hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  input: z.object({ seconds: z.number() }),
  output: DONE,
  describeCall: NOTHING,
  run: async ({ seconds }, { clock }: DesktopState, signal) => {
    if (seconds < 0) throw aipError('INVALID_INPUT', { detail: 'Wait time must be a positive number' })
    if (seconds > DESKTOP_LIMITS.wait)
      throw aipError('INVALID_INPUT', { detail: 'Wait time cannot exceed 300 seconds (5 minutes)' })
    await sleep(clock, seconds * 1000, signal)
    return { result: `Successfully waited for ${seconds} second(s)` }
  },
})
