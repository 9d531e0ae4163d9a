import { extname } from 'node:path'
import { Visitor, parseSync } from 'oxc-parser'

/** A piece of text that people read, at its place in a file; what is not part of it is blanked out, so that offsets stay. */
export interface Text {
  start: number
  text: string
}

/** Returns the comments and the strings of a program, or the prose of a Markdown file. */
export function textsIn(path: string, source: string): Text[] {
  return extname(path) === '.md'
    ? [{ start: 0, text: proseOf(source) }]
    : [...commentsOf(path, source), ...stringsOf(path, source)]
}

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, ' ')
}

/** Code is not prose; it is replaced by letters, so that the words around it do not become neighbours. */
function proseOf(source: string): string {
  return source
    .replaceAll(/^```[\s\S]*?^```/gm, blank)
    .replaceAll(/`[^`\n]*`/g, (code) => 'x'.repeat(code.length))
    .replaceAll(/\]\([^)\n]*\)/g, blank)
}

/** Line comments below each other are one text, because a phrase may be broken between them. */
function commentsOf(path: string, source: string): Text[] {
  const texts: Text[] = []
  let lastLine: { end: number; text: Text } | undefined
  for (const { type, start, end } of parseSync(path, source).comments) {
    const own = source.slice(start, end)
    if (type === 'Block') {
      texts.push({ start, text: own.replaceAll(/^\/\*+|\*+\/$|^\s*\*/gm, blank) })
      continue
    }
    const text = own.replace(/^\/\/+/, blank)
    const between = lastLine === undefined ? '-' : source.slice(lastLine.end, start)
    if (lastLine !== undefined && /^\n[ \t]*$/.test(between)) {
      lastLine.text.text += between + text
      lastLine.end = end
    } else {
      lastLine = { end, text: { start, text } }
      texts.push(lastLine.text)
    }
  }
  return texts
}

/** Strings of several words; one word is a name or a key. */
function stringsOf(path: string, source: string): Text[] {
  const texts: Text[] = []
  const add = ({ start, end }: { start: number; end: number }): void => {
    const text = source.slice(start, end)
    if (/\S\s+\S/.test(text)) texts.push({ start, text: text.replaceAll(/`[^`\n]*`/g, (code) => 'x'.repeat(code.length)) })
  }
  new Visitor({
    Literal(node) {
      if (typeof node.value === 'string') add(node)
    },
    TemplateElement: add,
  }).visit(parseSync(path, source).program)
  return texts
}
