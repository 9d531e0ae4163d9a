import { z } from 'zod'
import { defineTool, type ToolHints } from '../define-tool.js'
import { controlType, controlsOf, windowTree, type Control, type ControlNode } from './controls.js'
import type { DesktopState } from './desktop-state.js'
import { listWindows, type Area } from './windows.js'

const LOOKS: ToolHints = { readOnlyHint: true, destructiveHint: false, idempotentHint: true }
const NOTHING = (): Record<string, never> => ({})

/** What can be asked of a window or a control; others are null, for existing agents ask for more on Windows. */
const FIELDS = ['label', 'control_text', 'control_type', 'control_rect', 'process_id', 'class_name', 'is_visible', 'is_enabled']
const FIELD_LIST = z
  .array(z.string())
  .default(FIELDS)
  .describe(`Any of ${FIELDS.join(', ')}`)
const Fields = z.record(z.string(), z.unknown())
/** Left, top, right and bottom, in pixels of the screen. */
const Rect = z.array(z.number())
const Target = z.object({ kind: z.enum(['window', 'control']), id: z.string(), name: z.string(), type: z.string(), rect: Rect })

/** `get_desktop_app_target_info`: the windows, as existing agents choose among them. */
export const desktopTargets = defineTool({
  name: 'get_desktop_app_target_info',
  title: 'Windows of the desktop, as targets',
  description:
    'The windows on the screen as a list of {kind, id, name, type, rect}, for agents that expect it so; list_windows says more.',
  hints: LOOKS,
  input: z.object({
    remove_empty: z.boolean().default(true).describe('Windows without a title are never listed'),
    refresh_app_windows: z.boolean().default(true).describe('The list is always fresh'),
  }),
  output: z.object({ result: z.array(Target) }),
  describeCall: NOTHING,
  run: async (_args, { x11 }: DesktopState, signal) => ({
    result: (await listWindows(x11, signal)).map((window) => ({
      kind: 'window' as const,
      id: window.id,
      name: window.title,
      type: 'Window',
      rect: rectOf(window),
    })),
  }),
})

/** `get_app_window_info`: the selected window. */
export const windowInfo = defineTool({
  name: 'get_app_window_info',
  title: 'The selected window',
  description: 'Gives fields of the window that select_application_window has selected.',
  hints: LOOKS,
  input: z.object({ field_list: FIELD_LIST }),
  output: z.object({ result: Fields }),
  describeCall: NOTHING,
  run: async ({ field_list: names }, state: DesktopState, signal) => {
    const window = await state.window(signal)
    const known = {
      label: window.id,
      control_text: window.title,
      control_type: 'Window',
      control_rect: rectOf(window),
      process_id: window.pid,
      is_visible: true,
      is_enabled: true,
    }
    return { result: pick(known, names) }
  },
})

/** `get_app_window_controls_info`: fields of the controls of the selected window. */
export const controlsInfo = defineTool({
  name: 'get_app_window_controls_info',
  title: 'Controls of the selected window',
  description:
    'Gives fields of the buttons, fields, menus and so on of the selected window; label is the id that click_input and the like take.',
  hints: LOOKS,
  input: z.object({ field_list: FIELD_LIST }),
  output: z.object({ result: z.array(Fields) }),
  describeCall: NOTHING,
  run: async ({ field_list: names }, state: DesktopState, signal) => {
    const { pid } = await state.window(signal)
    const result = (await listControls(state, signal)).map((control) => {
      const known = {
        label: control.id,
        control_text: control.name,
        control_type: control.type,
        control_rect: rectOf(control.area),
        process_id: pid,
        is_visible: true,
        is_enabled: control.enabled,
      }
      return pick(known, names)
    })
    return { result }
  },
})

/** `get_app_window_controls_target_info`: the controls of the selected window, as existing agents choose among them. */
export const controlTargets = defineTool({
  name: 'get_app_window_controls_target_info',
  title: 'Controls of the selected window, as targets',
  description:
    'The buttons, fields, menus and so on of the selected window as a list of {kind, id, name, type, rect}; the ids are those that click_input and the like take.',
  hints: LOOKS,
  input: z.object({ field_list: z.array(z.string()).default([]).describe('All are given') }),
  output: z.object({ result: z.array(Target) }),
  describeCall: NOTHING,
  run: async (_args, state: DesktopState, signal) => ({
    result: (await listControls(state, signal)).map(({ id, name, type, area }) => ({
      kind: 'control' as const,
      id,
      name,
      type,
      rect: rectOf(area),
    })),
  }),
})

interface TreeNode {
  name: string
  control_type: string
  rectangle: { left: number; top: number; right: number; bottom: number } | null
  level: number
  children: TreeNode[]
}
const Tree: z.ZodType<TreeNode> = z.object({
  name: z.string(),
  control_type: z.string(),
  rectangle: z.object({ left: z.number(), top: z.number(), right: z.number(), bottom: z.number() }).nullable(),
  level: z.number(),
  get children() {
    return z.array(Tree)
  },
})

/** `get_ui_tree`: everything that can be seen in the selected window. */
export const uiTree = defineTool({
  name: 'get_ui_tree',
  title: 'All of the selected window',
  description:
    'All that can be seen in the selected window, texts and groups too, as a tree of {name, control_type, rectangle, level, children}.',
  hints: LOOKS,
  input: z.object({}),
  output: z.object({ result: Tree }),
  describeCall: NOTHING,
  run: async (_args, state: DesktopState, signal) => {
    const window = await state.window(signal)
    return { result: treeOf(await state.accessibility.use(signal, (objects) => windowTree(objects, window)), 0) }
  },
})

/** The controls of the selected window as they are now; their ids are valid until the next list. */
async function listControls(state: DesktopState, signal: AbortSignal): Promise<readonly Control[]> {
  const window = await state.window(signal)
  state.controls = await state.accessibility.use(signal, async (objects) =>
    controlsOf(objects, await windowTree(objects, window)),
  )
  return state.controls
}

function treeOf({ name, role, area, children }: ControlNode, level: number): TreeNode {
  const [left = 0, top = 0, right = 0, bottom = 0] = area === null ? [] : rectOf(area)
  return {
    name,
    control_type: controlType(role),
    rectangle: area === null ? null : { left, top, right, bottom },
    level,
    children: children.map((child) => treeOf(child, level + 1)),
  }
}

function rectOf({ x, y, width, height }: Area): number[] {
  return [x, y, x + width, y + height]
}

function pick(known: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, known[name] ?? null]))
}
