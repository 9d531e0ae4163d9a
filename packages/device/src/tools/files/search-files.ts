import { join } from 'node:path'
import { aipError } from '@orrery/aip'
import { z } from 'zod'
import { findProgram } from '../../process/find-program.js'
import { defineTool } from '../define-tool.js'
import { searchContent, type ContentMatch } from './content-search.js'
import type { FilesState } from './files-state.js'
import { Folder } from './folder.js'
import { matchesGlob } from '../../paths/glob.js'
import { FILE_LIMITS } from './limits.js'
import { searchWithRipgrep } from './ripgrep-search.js'
import { walk } from './walk.js'

const { matches, matchesMost, searched, searchedFile, searchTime } = FILE_LIMITS

const Match = z.object({
  path: z.string(),
  line: z.number().optional().describe('Number of the line, counted from 1'),
  text: z.string().optional().describe('The line; a long one is cut'),
})

/** `search_files`: files by name and by content. */
export const searchFiles = defineTool({
  name: 'search_files',
  title: 'Search files',
  description:
    'Finds files below a folder by name (glob) and by content (text). Without text it gives the files whose name matches; with it, ' +
    `the lines that hold the text. Links are not followed; files above ${searchedFile / 1024 ** 2} MiB and binary ones have no lines. ` +
    `Ends after ${searchTime / 1000} s; at most limit matches (${matches} unless said).`,
  hints: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  input: z.object({
    path: z.string().default('.').describe('Folder to search in'),
    glob: z
      .string()
      .max(1000)
      .optional()
      .describe(
        'Names to look at, e.g. *.ts or src/**/*.{ts,md}; * any characters, ? one, ** any folders. Without / it is about names alone',
      ),
    text: z.string().min(1).max(1000).optional().describe('What a line must hold'),
    regex: z.boolean().default(false).describe('text is a regular expression, without look-around and back references'),
    ignore_case: z.boolean().default(false),
    skip_folders: z
      .array(z.string().regex(/^[^/\\*?[\]{}!]+$/))
      .max(50)
      .default(['.git', 'node_modules'])
      .describe('Names of folders that are skipped'),
    limit: z.number().int().min(1).max(matchesMost).default(matches),
  }),
  output: z.object({
    path: z.string(),
    matches: z.array(Match),
    truncated: z.boolean().describe('There may be more: limit, or the time, was reached'),
  }),
  describeCall: ({ path, text }, { roots }) => ({
    paths: [{ path: roots.absolute(path), access: 'read', deep: text !== undefined }],
  }),
  run: async (args, state: FilesState, signal) => {
    const { roots, clock, env } = state
    const folder = await Folder.open(await roots.target(args.path), roots, args.path)
    const overtime = new AbortController()
    const timer = clock.after(searchTime, () => overtime.abort())
    const ended = AbortSignal.any([signal, overtime.signal])
    const found: z.infer<typeof Match>[] = []
    let truncated = false
    try {
      const source =
        args.text === undefined
          ? byName(folder, args, state, ended)
          : await byContent(folder, { ...args, text: args.text }, state, ended, env)
      for await (const match of source) {
        const { way, ...rest } = match
        const path = join(folder.path, way)
        if (args.glob !== undefined && !matchesGlob(args.glob, way)) continue
        if (!(await roots.allows(path))) continue
        truncated = found.length === args.limit
        if (truncated) break
        found.push({ path, ...rest })
      }
    } catch (error) {
      if (signal.aborted) throw aipError('TOOL_CANCELLED')
      if (!overtime.signal.aborted) throw error
      truncated = true
    } finally {
      timer.cancel()
      await folder[Symbol.asyncDispose]()
    }
    return { path: folder.path, matches: found, truncated }
  },
})

interface SearchArgs {
  skip_folders: string[]
  regex: boolean
  ignore_case: boolean
}

async function* byName(
  folder: Folder,
  args: SearchArgs,
  { roots }: FilesState,
  signal: AbortSignal,
): AsyncGenerator<ContentMatch> {
  let count = 0
  for await (const entry of walk(folder, {
    roots,
    depth: FILE_LIMITS.depth,
    skips: (name) => args.skip_folders.includes(name),
    signal,
  })) {
    count += 1
    if (count > searched)
      throw aipError('FILE_FAILED', {
        path: folder.path,
        detail: `it holds more than ${searched} entries; search in a folder of it`,
      })
    if (entry.type === 'file') yield { way: entry.way }
  }
}

async function byContent(
  folder: Folder,
  args: SearchArgs & { text: string; glob?: string | undefined },
  { roots, clock }: FilesState,
  signal: AbortSignal,
  env: FilesState['env'],
): Promise<AsyncGenerator<ContentMatch>> {
  const wanted = {
    text: args.text,
    regex: args.regex,
    ignoreCase: args.ignore_case,
    skipFolders: args.skip_folders,
    glob: args.glob,
  }
  const ripgrep = await findProgram('rg', env)
  return ripgrep === null
    ? searchContent(folder, wanted, roots, signal)
    : searchWithRipgrep(ripgrep, folder, wanted, { clock, env, signal })
}
