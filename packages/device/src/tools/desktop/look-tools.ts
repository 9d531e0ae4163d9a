import { z } from 'zod'
import { defineTool, type ToolHints } from '../define-tool.js'
import type { DesktopState } from './desktop-state.js'
import { DESKTOP_LIMITS } from './limits.js'
import { dataUri, takePicture } from './picture.js'
import { findWindow, listWindows, screenArea } from './windows.js'

const LOOKS: ToolHints = { readOnlyHint: true, destructiveHint: false, idempotentHint: true }
const NOTHING = (): Record<string, never> => ({})
const AREA = { x: z.number(), y: z.number(), width: z.number(), height: z.number() }
const { side, picture } = DESKTOP_LIMITS

/** `screenshot`: a picture for a model. */
export const screenshot = defineTool({
  name: 'screenshot',
  title: 'Take a screenshot',
  description:
    `Gives a picture of the screen, or of one window, at most ${side} pixels long and ${picture / 1024} KiB unless full_size is set. ` +
    'With it comes where it is on the screen and how large; click and the like take pixels of the screen: x + px * width / picture_width.',
  hints: LOOKS,
  input: z.object({
    window_id: z.string().optional().describe('An id of list_windows; default: the whole screen'),
    full_size: z.boolean().default(false),
  }),
  output: z.object({
    ...AREA,
    picture_width: z.number(),
    picture_height: z.number(),
    mimeType: z.string(),
    data: z.string(),
  }),
  describeCall: NOTHING,
  run: async (args, { x11 }: DesktopState, signal) => {
    const { x, y, width, height } =
      args.window_id === undefined ? await screenArea(x11, signal) : await findWindow(x11, args.window_id, signal)
    const taken = await takePicture(x11, args.window_id ?? 'root', args.full_size, signal)
    const data = taken.bytes.toString('base64')
    return { x, y, width, height, picture_width: taken.width, picture_height: taken.height, mimeType: taken.mimeType, data }
  },
  content: ({ mimeType, data, ...place }) => [
    { type: 'image', mimeType, data },
    { type: 'text', text: JSON.stringify(place) },
  ],
})

/** `capture_desktop_screenshot`: the screen, as existing agents know it. */
export const captureDesktop = defineTool({
  name: 'capture_desktop_screenshot',
  title: 'Capture the desktop',
  description: 'Gives a picture of the screen as a data URI, for agents that expect it so; screenshot gives it as an image.',
  hints: LOOKS,
  input: z.object({ all_screens: z.boolean().default(true).describe('X11 shows all screens as one') }),
  output: z.object({ result: z.string() }),
  describeCall: NOTHING,
  run: async (_args, { x11 }: DesktopState, signal) => ({ result: dataUri(await takePicture(x11, 'root', false, signal)) }),
})

/** `capture_window_screenshot`: the selected window, as existing agents know it. */
export const captureWindow = defineTool({
  name: 'capture_window_screenshot',
  title: 'Capture the selected window',
  description: 'Gives a picture of the window that select_application_window has selected, as a data URI.',
  hints: LOOKS,
  input: z.object({}),
  output: z.object({ result: z.string() }),
  describeCall: NOTHING,
  run: async (_args, state: DesktopState, signal) => {
    const { id } = await state.window(signal)
    return { result: dataUri(await takePicture(state.x11, id, false, signal)) }
  },
})

/** `list_windows`: what is on the screen. */
export const listDesktopWindows = defineTool({
  name: 'list_windows',
  title: 'List windows',
  description:
    'The windows on the screen: id, title, process, place and size in pixels of the screen, and which one has the keyboard.',
  hints: LOOKS,
  input: z.object({}),
  output: z.object({
    screen: z.object(AREA),
    windows: z.array(z.object({ id: z.string(), title: z.string(), pid: z.number().nullable(), active: z.boolean(), ...AREA })),
  }),
  describeCall: NOTHING,
  run: async (_args, { x11 }: DesktopState, signal) => ({
    screen: await screenArea(x11, signal),
    windows: await listWindows(x11, signal),
  }),
})

/** `get_desktop_app_info`: the windows, as existing agents know them. */
export const desktopAppInfo = defineTool({
  name: 'get_desktop_app_info',
  title: 'Windows of the desktop',
  description:
    'The windows on the screen as a list of {id, name, type, kind}, for agents that expect it so; list_windows says more.',
  hints: LOOKS,
  input: z.object({
    remove_empty: z.boolean().default(true).describe('Windows without a title are never listed'),
    refresh_app_windows: z.boolean().default(true).describe('The list is always fresh'),
  }),
  output: z.object({
    result: z.array(z.object({ id: z.string(), name: z.string(), type: z.string(), kind: z.literal('window') })),
  }),
  describeCall: NOTHING,
  run: async (_args, { x11 }: DesktopState, signal) => ({
    result: (await listWindows(x11, signal)).map(({ id, title }) => ({
      id,
      name: title,
      type: 'Window',
      kind: 'window' as const,
    })),
  }),
})
