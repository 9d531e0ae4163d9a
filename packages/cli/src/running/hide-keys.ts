/** Flags whose value is a key. */
const KEY_FLAGS = ['--api-key', '--token']
/** What stands for a key in the list of processes. */
const HIDDEN = '***'

/** Takes keys out of what other users of this machine see of this process, on systems where a process can change that. */
export function hideKeys(): void {
  const words = withoutKeys(process.argv.slice(1))
  if (words.some((word, at) => word !== process.argv[at + 1])) process.title = ['node', ...words].join(' ')
}

/** Returns the words of a command line without the values of flags that are keys, and without keys in addresses. */
export function withoutKeys(words: readonly string[]): string[] {
  return words.map((word, at) => {
    if (KEY_FLAGS.includes(words[at - 1] ?? '')) return HIDDEN
    const flag = KEY_FLAGS.find((name) => word.startsWith(`${name}=`))
    return flag === undefined ? word.replaceAll(/([?&]token=)[^&#]*/g, `$1${HIDDEN}`) : `${flag}=${HIDDEN}`
  })
}
