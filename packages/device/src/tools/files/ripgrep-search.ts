import { sep } from 'node:path'
import { createInterface } from 'node:readline'
import { aipError, type Clock } from '@orrery/aip'
import { z } from 'zod'
import { CappedOutput } from '../../process/capped-output.js'
import { childEnvironment, type Environment } from '../../process/child-environment.js'
import { ProcessGroup } from '../../process/process-group.js'
import { shorten, type ContentMatch, type Wanted } from './content-search.js'
import type { Folder } from './folder.js'
import { FILE_LIMITS } from './limits.js'

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
  const args = [
    ...FLAGS,
    `--max-filesize=${FILE_LIMITS.searchedFile}`,
    `--max-depth=${FILE_LIMITS.depth}`,
    ...skipFolders.flatMap((name) => ['--glob', `!**/${name}/**`]),
    ...(regex ? [] : ['--fixed-strings']),
    ...(ignoreCase ? ['--ignore-case'] : ['--case-sensitive']),
    '--regexp',
    text,
    '--',
    '.',
  ]
  const options = {
    cwd: folder.at(''),
    env: childEnvironment(env),
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
    for await (const line of createInterface({ input: group.child.stdout })) {
      const parsed = MatchLine.safeParse(JSON.parse(line))
      if (!parsed.success) continue
      const { path, lines, line_number: number } = parsed.data.data
      yield {
        way: wayOf(decode(path)),
        line: number,
        text: shorten(decode(lines)),
      }
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

/** On other systems than Windows `\\` is a character of a name. */
function wayOf(path: string): string {
  return (sep === '/' ? path : path.replaceAll(sep, '/')).replace(/^\.\//, '')
}

function decode(value: z.infer<typeof Text>): string {
  return 'text' in value ? value.text : Buffer.from(value.bytes, 'base64').toString('utf8')
}
