import { unlessLost, type Accessible, type AccessibleObjects, type Ref } from './accessible.js'
import { DESKTOP_LIMITS } from './limits.js'
import type { Area, DesktopWindow } from './windows.js'
import { deviceError } from '../../errors.js'

/** Something in a window that can be used. */
export interface Control extends Ref {
  /** Its place in the list of its window, from 1. */
  id: string
  name: string
  /** As existing agents call it, e.g. `Button`. */
  type: string
  area: Area
  enabled: boolean
}

/** An object of a window with what it holds. */
export interface ControlNode extends Accessible {
  children: ControlNode[]
}

/** Roles of AT-SPI that can be used, and what existing agents call them. */
const TYPES: Readonly<Record<string, string>> = {
  'push button': 'Button',
  button: 'Button',
  'toggle button': 'Button',
  'push button menu': 'Button',
  switch: 'Button',
  entry: 'Edit',
  text: 'Edit',
  'password text': 'Edit',
  'date editor': 'Edit',
  terminal: 'Document',
  'document frame': 'Document',
  'document text': 'Document',
  'document web': 'Document',
  'document spreadsheet': 'Document',
  'document presentation': 'Document',
  'page tab': 'TabItem',
  'list item': 'ListItem',
  icon: 'ListItem',
  'table cell': 'DataItem',
  'table row': 'DataItem',
  'tree item': 'TreeItem',
  menu: 'MenuItem',
  'menu item': 'MenuItem',
  'check menu item': 'MenuItem',
  'radio menu item': 'MenuItem',
  'scroll bar': 'ScrollBar',
  slider: 'Slider',
  link: 'Hyperlink',
  'combo box': 'ComboBox',
  'radio button': 'RadioButton',
  'check box': 'CheckBox',
  'spin button': 'Spinner',
}

/** What existing agents call a role; a role that cannot be used keeps its name. */
export function controlType(role: string): string {
  return TYPES[role] ?? role
}

/**
 * Returns everything that can be seen in a window, as its program reports it.
 * @throws AipError `NOT_SUPPORTED` for a window whose program reports nothing
 */
export async function windowTree(objects: AccessibleObjects, window: DesktopWindow): Promise<ControlNode> {
  const found = await accessibleWindow(objects, window)
  if (found === null) {
    const detail = `its program reports nothing on the accessibility bus; use pictures and places of the window '${window.title}'`
    throw deviceError('NOT_SUPPORTED', { what: 'Looking into this window', detail })
  }
  const root: ControlNode = { ...found, children: [] }
  let count = 1
  let level: ControlNode[] = [root]
  for (let depth = 0; level.length > 0 && depth < DESKTOP_LIMITS.controlDepth; depth += 1) {
    const next: ControlNode[] = []
    const lists = await Promise.all(level.map((node) => objects.children(node).catch(unlessLost([]))))
    for (const [index, refs] of lists.entries()) {
      const room = DESKTOP_LIMITS.controls - count
      const described = await Promise.all(refs.slice(0, Math.max(0, room)).map((ref) => objects.describe(ref)))
      const seen = described.flatMap((each) => (each?.showing === true ? [{ ...each, children: [] }] : []))
      count += described.length
      level[index]?.children.push(...seen)
      next.push(...seen)
    }
    level = next
  }
  return root
}

/** The controls of a tree that can be used, in the order of the tree. */
export function controlsOf(objects: AccessibleObjects, root: ControlNode): Promise<Control[]> {
  const found: Promise<Control>[] = []
  const collect = (node: ControlNode, siblings: readonly ControlNode[]): void => {
    const { bus, path, role, area, enabled, children } = node
    if (Object.hasOwn(TYPES, role) && area !== null && area.width > 0 && area.height > 0) {
      const id = String(found.length + 1)
      found.push(
        nameOf(objects, node, siblings).then((name) => ({ bus, path, id, name, type: controlType(role), area, enabled })),
      )
    }
    for (const child of children) collect(child, children)
  }
  collect(root, [])
  return Promise.all(found)
}

/** Its own name, or the text that its program or the eye takes for its label: the nearest to the left on the same line. */
async function nameOf(objects: AccessibleObjects, node: ControlNode, siblings: readonly ControlNode[]): Promise<string> {
  const { name, area } = node
  const told = name === '' ? await objects.label(node) : name
  if (told !== '' || area === null) return told
  const lies = (label: Area): boolean => {
    const middle = label.y + label.height / 2
    return label.x + label.width <= area.x && middle >= area.y && middle <= area.y + area.height
  }
  const labels = siblings.filter((each) => each.role === 'label' && each.area !== null && lies(each.area))
  return labels.toSorted((a, b) => (b.area?.x ?? 0) - (a.area?.x ?? 0))[0]?.name ?? ''
}

/** The window of the screen as its program reports it; null if it does not. */
async function accessibleWindow(objects: AccessibleObjects, window: DesktopWindow): Promise<Accessible | null> {
  const applications = await objects.applications()
  const pids = await Promise.all(applications.map((each) => objects.processOf(each)))
  const own = applications.filter((_, index) => window.pid !== null && pids[index] === window.pid)
  // Where the program does not report its process, the title has to do.
  const candidates = own.length > 0 ? own : applications
  const lists = await Promise.all(candidates.map((each) => objects.children(each).catch(unlessLost([]))))
  const windows = (await Promise.all(lists.flat().map((each) => objects.describe(each)))).filter((each) => each !== null)
  const titled = windows.filter(({ name }) => name === window.title)
  if (titled.length > 0 || own.length === 0) return titled.find(({ active }) => active) ?? titled[0] ?? null
  const same = windows.find(({ area }) => area?.width === window.width && area.height === window.height)
  return same ?? windows.find(({ active }) => active) ?? (windows.length === 1 ? (windows[0] ?? null) : null)
}
