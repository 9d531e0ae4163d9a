/**
 * What a reader does not see, or what changes how other text is shown: control characters (C0, DEL, C1), format characters such as those for
 * the direction of writing, separators of lines, and halves of characters.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
/**
 * What a reader who judges every character does not see either: blanks other than the space, selectors, fillers, private characters,
 * and marks that are stacked on one letter until they cover others.
 */
const UNCLEAR = /[[\p{C}\p{Zl}\p{Zp}\p{Zs}\p{Default_Ignorable_Code_Point}\u2800]--[ ]]|\p{M}{4,}/gv

/**
 * Returns a text in which nothing is hidden and nothing controls a terminal: such characters become escapes as in JSON (`\u001b`). Line
 * breaks and tabs stay. A JSON document remains the same document.
 */
export function visibleText(text: string): string {
  return text.replace(UNSEEN, (character) => (character === '\n' || character === '\t' ? character : escaped(character)))
}

/** Returns a text on one line in which every character can be seen, for a reader who judges it; JSON remains the same JSON. */
export function clearText(text: string): string {
  return text.replace(UNCLEAR, escaped)
}

/** A character outside the first plane becomes two escapes, because JSON has none for it. */
function escaped(character: string): string {
  let text = ''
  for (let at = 0; at < character.length; at += 1) text += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`
  return text
}
