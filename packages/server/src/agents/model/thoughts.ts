/** The marks between which models write their thoughts where the endpoint does not take them out. */
const MARKS: readonly (readonly [open: RegExp, close: RegExp])[] = [
  [/^<((?:[a-z]+:)?(?:think|thinking|thought|thoughts|reasoning|reflection|scratchpad))>/i, /<\/NAME>/],
  [/^\[THINK\]/, /\[\/THINK\]/],
  [/^◁think▷/, /◁\/think▷/],
  [/^<\|START_THINKING\|>/, /<\|END_THINKING\|>/],
  [/^<\|begin_of_thought\|>/, /<\|end_of_thought\|>/],
  [/^<unused94>/, /<unused95>/],
  // The channels of gpt-oss.
  [
    /^(?:<\|start\|>assistant)?<\|channel\|>(?:analysis|commentary)(?! to=)[^<]*<\|message\|>/,
    /<\|end\|>|(?=<\|start\|>|<\|channel\|>)/,
  ],
]
/** Endpoints whose template opens the thoughts leave only their end. */
const LONE_END = /(?<!['"`])(?:<\/(?:[a-z]+:)?(?:think|thinking|thought|thoughts|reasoning)>|\[\/THINK\]|◁\/think▷)(?!['"`])/i
/** What is around an answer after thoughts. */
const AROUND =
  /^(?:<\|start\|>assistant)?<\|channel\|>final[^<]*<\|message\|>|(?:<\|(?:return|end|im_end)\|>)$|^<\|START_RESPONSE\|>|<\|END_RESPONSE\|>$/g

/**
 * Returns a text of a model without the thoughts at its beginning, which are not part of an answer. Where thoughts have no end, all of
 * the text are thoughts.
 */
export function withoutThoughts(text: string): string {
  let rest = text.trimStart()
  let found = true
  while (found) {
    found = false
    for (const [open, close] of MARKS) {
      const begin = open.exec(rest)
      if (begin === null) continue
      const end = new RegExp(close.source.replace('NAME', begin[1] ?? ''), close.flags.includes('i') ? 'i' : 'i').exec(
        rest.slice(begin[0].length),
      )
      if (end === null) return ''
      rest = rest.slice(begin[0].length + end.index + end[0].length).trimStart()
      found = true
    }
  }
  const end = LONE_END.exec(rest)
  if (end !== null && !hasBeginning(rest.slice(0, end.index), end[0])) rest = rest.slice(end.index + end[0].length)
  return rest.trim().replaceAll(AROUND, '').trim()
}

/** An end in the middle of an answer that has its beginning there too belongs to the answer. */
function hasBeginning(before: string, end: string): boolean {
  return before.includes(end.replace('/', ''))
}
