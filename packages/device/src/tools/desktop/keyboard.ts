import { keySteps } from './key-notation.js'
import type { X11 } from './x11.js'

/** Milliseconds between two keys. */
export const KEY_DELAY = 8

/**
 * Milliseconds between two characters that may be on no key. Such a one is put on a free key for a moment, and a slow program
 * must have read it by then.
 */
const REMAPPED_DELAY = 200

/** Types a text. @throws as {@link X11.run}, like all here */
export async function typeCharacters(x11: X11, text: string, signal: AbortSignal): Promise<void> {
  // A line end stands alone among the runs.
  for (const run of text.split(/(\r?\n)/).flatMap((part) => part.match(/\p{ASCII}+|\P{ASCII}+/gu) ?? [])) {
    // `type` sends a line end as Linefeed, which programs ignore.
    if (run.endsWith('\n')) {
      await x11.xdotool(['key', '--clearmodifiers', '--delay', KEY_DELAY, 'Return'], signal)
      continue
    }
    const delay = run.charCodeAt(0) < 0x80 ? KEY_DELAY : REMAPPED_DELAY
    // Through its input: as an argument a text could be taken for an option.
    await x11.xdotool(['type', '--clearmodifiers', '--delay', delay, '--file', '-'], signal, run)
  }
}

/** Does what {@link keySteps} reads. @throws AipError `INVALID_INPUT` before anything is done */
export async function typeKeys(x11: X11, keys: string, signal: AbortSignal): Promise<void> {
  const held = new Set<string>()
  try {
    for (const step of keySteps(keys)) {
      if (step.type === 'text') await typeCharacters(x11, step.text, signal)
      else {
        if (step.type === 'keydown') held.add(step.key)
        if (step.type === 'keyup') held.delete(step.key)
        const times = Array.from({ length: step.times }, () => step.key)
        if (times.length > 0) await x11.xdotool([step.type, '--delay', KEY_DELAY, ...times], signal)
      }
    }
  } finally {
    // Nothing must stay pressed.
    if (held.size > 0) await x11.xdotool(['keyup', ...held], new AbortController().signal).catch(() => {})
  }
}
