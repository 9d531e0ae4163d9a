import { readdir } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { isAipError, AipError, aipError, messageOf, type Clock } from '@orrery/aip'
import { z } from 'zod'
import type { Roots } from '../../policy/roots.js'
import { defineServer } from '../built-in-server.js'
import { defineTool, type ToolHints } from '../define-tool.js'
import type { Environment } from '../../process/child-environment.js'
import { Folder } from '../files/folder.js'
import { PDF_LIMITS } from './limits.js'
import { pdfText } from './pdf-text.js'

interface PdfState {
  roots: Roots
  clock: Clock
  env: Environment
}

const LOOKS: ToolHints = { readOnlyHint: true, destructiveHint: false, idempotentHint: true }
const SIMULATE = z.boolean().default(true).describe('Taken for existing agents and ignored: no viewer is opened')
const FOLDER = z.string().describe('Folder, absolute or relative to the start folder of the device')

/** `extract_pdf_text`: the text of a PDF; texts of errors as existing agents know them. */
export const extractPdfText = defineTool({
  name: 'extract_pdf_text',
  title: 'Extract the text of a PDF',
  description:
    'Gives the text of a PDF file, each page after a line "--- Page N ---". Scanned pages, which are pictures, have no text.',
  hints: LOOKS,
  input: z.object({
    pdf_path: z.string().describe('Absolute, or relative to the start folder of the device'),
    simulate_human: SIMULATE,
  }),
  output: z.object({ result: z.string() }),
  describeCall: (args, { roots }) => ({ paths: [{ path: roots.absolute(args.pdf_path), access: 'read' }] }),
  run: async ({ pdf_path: path }, { roots, ...state }: PdfState, signal) => {
    const real = await roots.target(path)
    if (!isPdf(real)) throw new Error(`Error: File ${path} is not a PDF file`)
    try {
      await using folder = await Folder.above(real, roots, path)
      return { result: await textOf(folder, basename(real), path, { ...state, signal }) }
    } catch (error) {
      if (isAipError(error, 'FILE_NOT_FOUND')) throw new Error(`Error: PDF file not found at ${path}`, { cause: error })
      throw new Error(`Error reading PDF ${path}: ${messageOf(error)}`, { cause: error })
    }
  },
})

/** `list_pdfs_in_directory`: the PDFs of a folder. */
export const listPdfs = defineTool({
  name: 'list_pdfs_in_directory',
  title: 'List PDFs',
  description: `Gives the paths of the PDF files in a folder, in order; not those in folders within it. At most ${PDF_LIMITS.files}.`,
  hints: LOOKS,
  input: z.object({ directory_path: FOLDER }),
  output: z.object({ result: z.array(z.string()) }),
  describeCall: (args, { roots }) => ({ paths: [{ path: roots.absolute(args.directory_path), access: 'read' }] }),
  run: async ({ directory_path: path }, { roots }: PdfState) => {
    await using folder = await openFolder(path, roots).catch(() => null)
    return { result: folder === null ? [] : (await pdfsIn(folder)).map((name) => folder.pathOf(name)) }
  },
})

/** `extract_all_pdfs_text`: the text of each PDF of a folder. */
export const extractAllPdfs = defineTool({
  name: 'extract_all_pdfs_text',
  title: 'Extract the text of all PDFs of a folder',
  description: `Gives the text of each PDF file of a folder by its name; what is wrong with a file comes in place of its text. At most ${PDF_LIMITS.files} files.`,
  hints: LOOKS,
  input: z.object({ directory_path: FOLDER, simulate_human: SIMULATE }),
  output: z.looseObject({
    error: z.string().optional().describe('The folder cannot be read'),
    message: z.string().optional().describe('There are no PDF files'),
  }),
  describeCall: (args, { roots }) => ({ paths: [{ path: roots.absolute(args.directory_path), access: 'read', deep: true }] }),
  run: async ({ directory_path: path }, { roots, ...state }: PdfState, signal): Promise<Record<string, string>> => {
    let room: number = PDF_LIMITS.text
    const texts: Record<string, string> = {}
    try {
      await using folder = await openFolder(path, roots)
      for (const name of await pdfsIn(folder)) {
        const text = await textOf(folder, name, name, { ...state, signal }).catch((error: unknown) => {
          if (signal.aborted) throw aipError('TOOL_CANCELLED')
          return `Error reading PDF ${name}: ${messageOf(error)}`
        })
        texts[name] = text.slice(0, room)
        room -= texts[name].length
      }
    } catch (error) {
      if (!(error instanceof AipError)) throw error
      if (isAipError(error, 'FILE_NOT_FOUND')) return { error: `Directory not found: ${path}` }
      if (isAipError(error, 'PATH_KIND')) return { error: `Path is not a directory: ${path}` }
      throw error
    }
    return Object.keys(texts).length === 0 ? { message: `No PDF files found in directory: ${path}` } : texts
  },
})

/** The built-in server `pdf`: the tools that existing agents know as those of `PDFReaderExecutor`. */
export const pdfServer = defineServer<PdfState>(
  'pdf',
  () => [extractPdfText, listPdfs, extractAllPdfs],
  ({ roots, clock, env }) => ({ state: { roots, clock, env } }),
)

function isPdf(path: string): boolean {
  return extname(path).toLowerCase() === '.pdf'
}

async function openFolder(path: string, roots: Roots): Promise<Folder> {
  return Folder.open(await roots.target(path), roots, path)
}

async function pdfsIn(folder: Folder): Promise<string[]> {
  const entries = await readdir(folder.at(''), { withFileTypes: true })
  const names = entries.filter((entry) => entry.isFile() && isPdf(entry.name)).map((entry) => entry.name)
  return names.sort().slice(0, PDF_LIMITS.files)
}

async function textOf(
  folder: Folder,
  name: string,
  shown: string,
  surroundings: { clock: Clock; env: Environment; signal: AbortSignal },
): Promise<string> {
  await using file = await folder.file(name, shown)
  const { size } = await file.stat()
  if (size > PDF_LIMITS.file) throw aipError('FILE_TOO_LARGE', { size, limit: PDF_LIMITS.file })
  return pdfText(file, surroundings)
}
