import { sep } from 'node:path'
import { createInterface } from 'node:readline'
import { aipError, type Clock } from '@orrery/aip'
import { z } from 'zod'
import { CappedOutput } from '../../process/capped-output.js'
import { plainEnvironment, type Environment } from '../../process/child-environment.js'
import { ProcessGroup } from '../../process/process-group.js'
import { searchedText, shorten, type ContentMatch, type Wanted } from './content-search.js'
import type { Folder } from './folder.js'
import { FILE_LIMITS } from './limits.js'
import { encodingNamed } from './text-encoding.js'

/** Lines of `rg --json` that report a match; text that is not valid UTF-8 comes as base64. */
const Text = z.union([z.object({ text: z.string() }), z.object({ bytes: z.string() })])
const MatchLine = z.object({ type: z.literal('match'), data: z.object({ path: Text, lines: Text, line_number: z.number() }) })

/** Exit code of ripgrep for "something went wrong"; 1 is "nothing found". */
const FAILED = 2
const FLAGS = ['--json', '--no-config', '--no-ignore', '--hidden', '--no-follow', '--sort=path', '--no-messages']
const MESSAGE_LIMIT = 2000

/**
 * Finds lines with ripgrep. It does not follow links, and knows nothing of closed folders: the caller leaves those out.
 * @throws AipError `INVALID_INPUT` with what ripgrep says about a bad pattern, `TOOL_CANCELLED`
 */
export async function* searchWithRipgrep(
  program: string,
  folder: Folder,
  { text, regex, ignoreCase, skipFolders }: Wanted,
  { clock, env, signal }: { clock: Clock; env: Environment; signal: AbortSignal },
): AsyncGenerator<ContentMatch> {
  const patterns = patternsOf(text, regex)
  const args = [
    ...FLAGS,
    `--max-filesize=${FILE_LIMITS.searchedFile}`,
    `--max-depth=${FILE_LIMITS.depth}`,
    ...skipFolders.flatMap((name) => ['--glob', `!**/${name}/**`]),
    ...(ignoreCase ? ['--ignore-case'] : ['--case-sensitive']),
    ...patterns.flatMap((pattern) => ['--regexp', pattern]),
    '--',
    '.',
  ]
  const options = {
    cwd: folder.at(''),
    env: plainEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'],
  }
  const group = new ProcessGroup(program, args, options, clock)
  const stop = (): void => group.kill('SIGKILL')
  const errors = new CappedOutput(MESSAGE_LIMIT)
  group.child.stderr?.on('data', (chunk: Buffer) => errors.add(chunk))
  signal.addEventListener('abort', stop, { once: true })
  try {
    await group.started
    if (group.child.stdout === null) return
    for await (const message of createInterface({ input: group.child.stdout })) {
      const parsed = MatchLine.safeParse(JSON.parse(message))
      if (!parsed.success) continue
      const { path, lines, line_number: number } = parsed.data.data
      const line = decode(lines)
      // Bytes that are a word of one encoding may be in the middle of letters of another.
      if (patterns.length > 1 && !folded(line, ignoreCase).includes(folded(text, ignoreCase))) continue
      yield { way: wayOf(decode(path)), line: number, text: shorten(line) }
    }
    const { code } = await group.ended
    if (signal.aborted) throw aipError('TOOL_CANCELLED')
    // It also says this about files that it may not read; then it has found the others.
    if (code === FAILED && /regex parse error|error parsing/.test(errors.text()))
      throw aipError('INVALID_INPUT', { detail: errors.text().trim() })
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
}

function folded(text: string, ignoreCase: boolean): string {
  return ignoreCase ? text.toLowerCase() : text
}

/** On other systems than Windows `\\` is a character of a name. */
function wayOf(path: string): string {
  return (sep === '/' ? path : path.replaceAll(sep, '/')).replace(/^\.\//, '')
}

/** ripgrep reads what has no mark as UTF-8; a word with other letters than those of ASCII is looked for as Windows writes it in Western Europe too. */
function patternsOf(text: string, regex: boolean): string[] {
  if (regex) return [text]
  const plain = text.replaceAll(/[\\^$.*+?()[\]{}|#&~-]/g, String.raw`\$&`)
  if (!/[^\p{ASCII}]/u.test(text)) return [plain]
  try {
    const bytes = encodingNamed('windows-1252', Buffer.alloc(0)).encode(text)
    const other = [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
    return [plain, `(?-u:${other})`]
  } catch {
    // The encoding does not have these letters.
    return [plain]
  }
}

function decode(value: z.infer<typeof Text>): string {
  if ('text' in value) return value.text
  const bytes = Buffer.from(value.bytes, 'base64')
  return searchedText(bytes) ?? bytes.toString('utf8')
}
