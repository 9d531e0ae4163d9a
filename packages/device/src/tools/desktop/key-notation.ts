import { aipError } from '@orrery/aip'

/** What is done with the keyboard, in order: a text is typed, a key or combination (names of X11) is pressed, held or let go. */
export type KeyStep = { type: 'text'; text: string } | { type: 'key' | 'keydown' | 'keyup'; key: string; times: number }

/** Names of keys in the notation of existing agents, without `VK_`, and what X11 calls them. */
const KEYS: Readonly<Record<string, string>> = {
  ENTER: 'Return',
  RETURN: 'Return',
  TAB: 'Tab',
  ESC: 'Escape',
  ESCAPE: 'Escape',
  BACKSPACE: 'BackSpace',
  BACK: 'BackSpace',
  BS: 'BackSpace',
  BKSP: 'BackSpace',
  DELETE: 'Delete',
  DEL: 'Delete',
  INSERT: 'Insert',
  INS: 'Insert',
  SPACE: 'space',
  UP: 'Up',
  DOWN: 'Down',
  LEFT: 'Left',
  RIGHT: 'Right',
  HOME: 'Home',
  END: 'End',
  PGUP: 'Page_Up',
  PRIOR: 'Page_Up',
  PGDN: 'Page_Down',
  NEXT: 'Page_Down',
  CAPSLOCK: 'Caps_Lock',
  CAPITAL: 'Caps_Lock',
  APPS: 'Menu',
  CONTROL: 'ctrl',
  LCONTROL: 'ctrl',
  RCONTROL: 'ctrl',
  CTRL: 'ctrl',
  SHIFT: 'shift',
  LSHIFT: 'shift',
  RSHIFT: 'shift',
  MENU: 'alt',
  LMENU: 'alt',
  RMENU: 'alt',
  ALT: 'alt',
  LWIN: 'super',
  RWIN: 'super',
  WIN: 'super',
}
const MODIFIERS = new Set(['ctrl', 'shift', 'alt', 'super'])
const SIGNS: Readonly<Record<string, string>> = { '^': 'ctrl', '+': 'shift', '%': 'alt' }
/** A name or character in braces with a number or `down`/`up`; or one character. */
const PART = /\{(\S[^\s}]*|\})(?: (?:(\d{1,3})|(down|up)))?\}|[^]/gu

/**
 * Reads keys as existing agents write them: `{VK_CONTROL}c` and `^c` are combinations, `{TAB 2}` is pressed twice, `{a down}` and
 * `{a up}` hold a key; `^`, `+` and `%` hold Ctrl, Shift and Alt for the next key, `~` is Enter, and in braces each is itself. All else is text.
 * @throws AipError `INVALID_INPUT` for a key that is not known
 */
export function keySteps(keys: string): KeyStep[] {
  const steps: KeyStep[] = []
  let held: string[] = []
  const press = (key: string, times: number): void => {
    steps.push({ type: 'key', key: [...held, key].join('+'), times })
    held = []
  }
  for (const [part, name, times, hold] of keys.matchAll(PART)) {
    if (name !== undefined) {
      const key = keyNamed(name)
      if (hold !== undefined) steps.push({ type: hold === 'down' ? 'keydown' : 'keyup', key, times: 1 })
      else if (MODIFIERS.has(key)) held.push(key)
      else press(key, Number(times ?? 1))
      continue
    }
    const modifier = SIGNS[part]
    const last = steps.at(-1)
    if (modifier !== undefined) held.push(modifier)
    else if (part === '~') press('Return', 1)
    else if (held.length > 0) press(characterKey(part), 1)
    else if (last?.type === 'text') last.text += part
    else steps.push({ type: 'text', text: part })
  }
  // A modifier alone is a key too.
  const alone = held.pop()
  if (alone !== undefined) press(alone, 1)
  return steps
}

function keyNamed(name: string): string {
  if (/^.$/u.test(name)) return characterKey(name)
  const upper = name.toUpperCase().replace(/^VK_/, '')
  const key = /^F([1-9]|1\d|2[0-4])$/.test(upper) ? upper : KEYS[upper]
  if (key === undefined) throw aipError('INVALID_INPUT', { detail: `there is no key {${name}}` })
  return key
}

/** What X11 calls the key of a character. */
function characterKey(character: string): string {
  if (/^[A-Za-z0-9]$/.test(character)) return character
  return `U${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}
