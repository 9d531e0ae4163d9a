import { aipError } from '@orrery/aip'
import { z } from 'zod'
import { defineTool, type ToolHints } from '../define-tool.js'
import type { Accessible, AccessibleObjects } from './accessible.js'
import type { Control } from './controls.js'
import type { DesktopState } from './desktop-state.js'
import { typeCharacters, typeKeys } from './keyboard.js'
import { DESKTOP_LIMITS } from './limits.js'
import { clickAt, pointIn, scrollAt } from './mouse.js'
import { focusWindow, type Area } from './windows.js'
import { deviceError } from '../../errors.js'

/** What a click or a key does is up to the program that gets it: it may send, pay or delete. */
const ACTS: ToolHints = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true }
const NOTHING = (): Record<string, never> => ({})
const DONE = z.object({ result: z.string() })
const CONTROL = {
  id: z.string().describe('An id of get_app_window_controls_target_info'),
  name: z.string().default('').describe('Its name there'),
}
const CONTROL_OR_WINDOW = { ...CONTROL, id: CONTROL.id.default('').describe(`${CONTROL.id.description}; empty for the window`) }

/** `click_input`: a click on a control. */
export const clickInput = defineTool({
  name: 'click_input',
  title: 'Click on a control',
  description: 'Clicks with the mouse in the middle of a control of the selected window.',
  hints: ACTS,
  input: z.object({
    ...CONTROL,
    button: z.enum(['left', 'middle', 'right', 'x']).default('left'),
    double: z.boolean().default(false),
  }),
  output: DONE,
  describeCall: NOTHING,
  run: async ({ id, name, button, double }, state: DesktopState, signal) => {
    const control = state.control(id)
    const area = await placeOf(state, control, signal)
    await clickAt(state.x11, pointIn(area, 0.5, 0.5), button, double ? 2 : 1, signal)
    return { result: report('click_input', control, name) }
  },
})

/** `set_edit_text`: text into a field. */
export const setEditText = defineTool({
  name: 'set_edit_text',
  title: 'Put text into a field',
  description: 'Puts a text at the end of what a field of the selected window holds, or instead of it with clear_current_text.',
  hints: ACTS,
  input: z.object({ ...CONTROL, text: z.string().max(DESKTOP_LIMITS.text), clear_current_text: z.boolean().default(false) }),
  output: DONE,
  describeCall: NOTHING,
  run: async ({ id, name, text, clear_current_text: replace }, state: DesktopState, signal) => {
    const control = state.control(id)
    const how = await withControl(state, control, signal, async (objects, { editable }) => {
      if (await objects.setText(control, text, replace)) return 'set'
      if (editable) await focusWindow(state.x11, (await state.window(signal)).id, signal)
      if (!editable || !(await objects.focus(control))) throw refused(control, 'takes no text')
      return 'focused'
    })
    // Fields of web pages can only be typed into.
    if (how === 'focused') {
      await typeKeys(state.x11, replace ? '^a{DELETE}' : '^{END}', signal)
      await typeCharacters(state.x11, text, signal)
    }
    return { result: report('set_edit_text', control, name) }
  },
})

/** `keyboard_input`: keys, in the notation of existing agents. */
export const keyboardInput = defineTool({
  name: 'keyboard_input',
  title: 'Press keys in the selected window',
  description:
    'Types text and keys such as {ENTER}, {TAB 2} and {VK_CONTROL}c into a control of the selected window, or into the window. ' +
    '^ + % hold Ctrl, Shift and Alt for the next key and ~ is Enter; in braces, as in {+}, they are themselves.',
  hints: ACTS,
  input: z.object({
    ...CONTROL_OR_WINDOW,
    keys: z.string().min(1).max(DESKTOP_LIMITS.text),
    control_focus: z.boolean().default(true).describe('Whether the control gets the keyboard first'),
  }),
  output: DONE,
  describeCall: NOTHING,
  run: async ({ id, name, keys, control_focus: focus }, state: DesktopState, signal) => {
    await focusWindow(state.x11, (await state.window(signal)).id, signal)
    const control = id === '' ? null : state.control(id)
    if (control !== null && focus) {
      await withControl(state, control, signal, async (objects) => {
        if (!(await objects.focus(control))) throw refused(control, 'does not take the keyboard')
      })
    }
    await typeKeys(state.x11, keys, signal)
    return { result: report('keyboard_input', control, name) }
  },
})

/** `wheel_mouse_input`: the wheel over a control. */
export const wheelMouseInput = defineTool({
  name: 'wheel_mouse_input',
  title: 'Scroll in the selected window',
  description: 'Turns the mouse wheel over a control of the selected window, or over its middle.',
  hints: { ...ACTS, destructiveHint: false },
  input: z.object({
    ...CONTROL_OR_WINDOW,
    wheel_dist: z
      .number()
      .int()
      .min(-DESKTOP_LIMITS.scroll)
      .max(DESKTOP_LIMITS.scroll)
      .default(0)
      .describe('Steps; more than 0 is up'),
  }),
  output: DONE,
  describeCall: NOTHING,
  run: async ({ id, name, wheel_dist: steps }, state: DesktopState, signal) => {
    const control = id === '' ? null : state.control(id)
    const area = control === null ? await state.window(signal) : await placeOf(state, control, signal)
    if (steps !== 0) await scrollAt(state.x11, pointIn(area, 0.5, 0.5), steps > 0 ? 'up' : 'down', Math.abs(steps), signal)
    return { result: report('wheel_mouse_input', control, name) }
  },
})

/** `texts`: what a control shows. */
export const texts = defineTool({
  name: 'texts',
  title: 'Read a control',
  description: 'The text in a control of the selected window, or its name if it holds none.',
  hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  input: z.object(CONTROL),
  output: DONE,
  describeCall: NOTHING,
  run: async ({ id }, state: DesktopState, signal) => {
    const control = state.control(id)
    const text = await withControl(state, control, signal, (objects) => objects.text(control))
    return { result: (text ?? '') === '' ? control.name : (text ?? '') }
  },
})

/** `summary`: returns what an agent has seen, in the form that existing agents expect. */
export const summary = defineTool({
  name: 'summary',
  title: 'Summarise',
  description: 'Gives its text back: a place for an agent to write down what it has seen.',
  hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  input: z.object({ text: z.string() }),
  output: DONE,
  describeCall: NOTHING,
  run: ({ text }) => Promise.resolve({ result: text }),
})

/** Does something with a control, if it is still there. @throws AipError `NO_SUCH_ITEM`; as Accessibility.use */
async function withControl<T>(
  { accessibility }: DesktopState,
  control: Control,
  signal: AbortSignal,
  work: (objects: AccessibleObjects, now: Accessible) => Promise<T>,
): Promise<T> {
  return accessibility.use(signal, async (objects) => {
    const now = await objects.describe(control)
    if (now?.showing !== true) throw deviceError('NO_SUCH_ITEM', { what: 'control on the screen with the id', id: control.id })
    return work(objects, now)
  })
}

/** Raises the window and returns where the control is now. */
async function placeOf(state: DesktopState, control: Control, signal: AbortSignal): Promise<Area> {
  await focusWindow(state.x11, (await state.window(signal)).id, signal)
  return withControl(state, control, signal, (_objects, { area }) => Promise.resolve(area ?? control.area))
}

function refused({ id, name }: Control, what: string): Error {
  return aipError('INVALID_INPUT', { detail: `the control '${id}' (${name}) ${what}` })
}

/** What existing tools say, with a warning where the agent has taken another control for this one. */
function report(action: string, control: Control | null, name: string): string {
  const done = `Executed action ${action}, please check the application for whether it took effect.`
  if (control === null || name === '' || name === control.name) return done
  return `Warning: the control '${control.id}' is named '${control.name}', not '${name}'. ${done}`
}
