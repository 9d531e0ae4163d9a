/** The options of a program that are known as harmless. What is not listed is refused, so a program that grows options stays safe. */
export interface OptionGrammar {
  /** Letters of short options. Behind a letter: `:` it takes a value, `!` that value is a file, `?` a value may be stuck to it. */
  short: string
  /** Names of long options, separated by blanks, with the same signs behind them. */
  long: string
  /** The short option that a number such as `-5` stands for. */
  number?: string
}

/** One option as it was given. */
export interface GivenOption {
  /** `-f`, or `--file` in full. */
  name: string
  value: string | null
  /** Whether the value names a file. */
  isFile: boolean
  /** The words in front of a file, or all of it. With `stuck` the file follows the last word without a blank. */
  words: readonly string[]
  stuck: boolean
}

/** The words of a command by their meaning. */
export interface GivenWords {
  options: readonly GivenOption[]
  operands: readonly string[]
}

const FIRST_LETTER = 1

/**
 * Reads the arguments of a program as getopt of GNU does: bundles of letters, values that are stuck or follow, abbreviated long names, `--`,
 * and options behind operands.
 * @returns what is wrong, as a text, where an argument is not known as harmless
 */
export function readOptions(args: readonly string[], grammar: OptionGrammar): GivenWords | string {
  const options: GivenOption[] = []
  const operands: string[] = []
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? ''
    if (arg === '--') {
      operands.push(...args.slice(at + 1))
      break
    }
    if (arg === '-' || !arg.startsWith('-')) {
      operands.push(arg)
      continue
    }
    const read = arg.startsWith('--') ? readLong(arg, args[at + 1], grammar) : readBundle(arg, args[at + 1], grammar)
    if (typeof read === 'string') return read
    options.push(...read.options)
    if (read.tookNext) at += 1
  }
  return { options, operands }
}

interface ReadWord {
  options: GivenOption[]
  tookNext: boolean
}

function readLong(arg: string, next: string | undefined, grammar: OptionGrammar): ReadWord | string {
  const [given = '', ...rest] = arg.slice(2).split('=')
  const known = `help version ${grammar.long}`.split(/\s+/)
  const exact = known.find((each) => each.replace(/[!?:]$/, '') === given)
  const matching = exact === undefined ? known.filter((each) => each.startsWith(given)) : [exact]
  const [found] = matching
  if (found === undefined || matching.length > 1) return unknown(arg)
  const kind = /[!?:]$/.exec(found)?.[0] ?? ''
  const name = `--${found.replace(/[!?:]$/, '')}`
  const stuckValue = rest.length === 0 ? null : rest.join('=')
  if (kind === '' && stuckValue !== null) return unknown(arg)
  const tookNext = stuckValue === null && (kind === ':' || kind === '!')
  const value = tookNext ? next : stuckValue
  if (value === undefined) return `the option ${arg} needs a value`
  if (kind === '!') return { options: [{ name, value, isFile: true, words: [`${name}=`], stuck: true }], tookNext }
  const word = value === null ? name : `${name}=${value}`
  return { options: [{ name, value, isFile: false, words: [word], stuck: false }], tookNext }
}

function readBundle(arg: string, next: string | undefined, { short, number }: OptionGrammar): ReadWord | string {
  if (number !== undefined && /^-\d+$/.test(arg)) {
    const value = arg.slice(FIRST_LETTER)
    return {
      options: [{ name: `-${number}`, value, isFile: false, words: [`-${number}`, value], stuck: false }],
      tookNext: false,
    }
  }
  const options: GivenOption[] = []
  const flag = (letter: string): GivenOption => ({ name: `-${letter}`, value: null, isFile: false, words: [], stuck: false })
  for (let at = FIRST_LETTER; at < arg.length; at += 1) {
    const letter = arg.charAt(at)
    const place = /[A-Za-z0-9]/.test(letter) ? short.indexOf(letter) : -1
    if (place < 0) return unknown(arg)
    const kind = short.charAt(place + 1)
    const stuckValue = arg.slice(at + 1)
    if (kind === '?') {
      options.push({ ...flag(letter), value: stuckValue, words: [arg] })
      return { options, tookNext: false }
    }
    if (kind !== ':' && kind !== '!') {
      options.push(flag(letter))
      continue
    }
    const tookNext = stuckValue === ''
    const value = tookNext ? next : stuckValue
    if (value === undefined) return `the option -${letter} needs a value`
    const before = at > FIRST_LETTER ? [arg.slice(0, at)] : []
    const words = kind === '!' ? [...before, `-${letter}`] : tookNext ? [arg, value] : [arg]
    options.push({ name: `-${letter}`, value, isFile: kind === '!', words, stuck: false })
    return { options, tookNext }
  }
  const last = options.at(-1)
  if (last !== undefined) last.words = [arg]
  return { options, tookNext: false }
}

function unknown(arg: string): string {
  const name = arg.split('=', 1)[0] ?? ''
  const shown = name.length > 40 ? `${name.slice(0, 40)}…` : name
  return `the option ${shown} is not one of those that are known only to show`
}
