import { mkdirSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.js'
import { PDF_LIMITS } from '../src/tools/pdf/limits.js'
import { pdfText } from '../src/tools/pdf/pdf-text.js'
import { temporaryFolders } from './support/temporary.js'
import { toolCaller } from './support/tool-caller.js'

const folder = temporaryFolders()

/** A PDF with one line of text on each page. */
function pdf(...lines: string[]): Buffer {
  return pdfOf(lines.map((line) => ({ stream: Buffer.from(`BT /F1 12 Tf 72 700 Td (${line}) Tj ET`), filter: '' })))
}

/** A PDF whose page unfolds to this many bytes. */
function bomb(bytes: number): Buffer {
  return pdfOf([{ stream: deflateSync(Buffer.alloc(bytes, ' '), { level: 1 }), filter: '/Filter /FlateDecode' }])
}

function pdfOf(contents: { stream: Buffer; filter: string }[]): Buffer {
  const objects = ['<< /Type /Catalog /Pages 2 0 R >>', '', '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>']
  const pages = contents.map(({ stream, filter }) => {
    objects.push(`<< /Length ${stream.length} ${filter} >>\nstream\n${stream.toString('latin1')}\nendstream`)
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${objects.length} 0 R /Resources << /Font << /F1 3 0 R >> >> >>`,
    )
    return `${objects.length} 0 R`
  })
  objects[1] = `<< /Type /Pages /Kids [${pages.join(' ')}] /Count ${pages.length} >>`
  let text = '%PDF-1.4\n'
  const offsets = objects.map((object, index) => {
    const at = text.length
    text += `${index + 1} 0 obj\n${object}\nendobj\n`
    return `${String(at).padStart(10, '0')} 00000 n \n`
  })
  const xref = text.length
  const end = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join('')}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${xref}\n%%EOF\n`
  return Buffer.from(text + end, 'latin1')
}

describe('the tools of the server pdf', () => {
  it('give the text of a file, page by page, and say what is wrong', async () => {
    const cwd = folder()
    await using tools = await toolCaller({ cwd })
    writeFileSync(join(cwd, 'two.PDF'), pdf('Hello first page', 'and the second'))
    writeFileSync(join(cwd, 'bad.pdf'), 'no pdf')
    writeFileSync(join(cwd, 'a.txt'), 'text')
    const text = await tools.value('extract_pdf_text', { pdf_path: 'two.PDF' })
    expect(text).toMatch(/^--- Page 1 ---\nHello first page\n\n--- Page 2 ---\nand the second\n$/)
    expect(await tools.error('extract_pdf_text', { pdf_path: 'none.pdf' })).toBe('Error: PDF file not found at none.pdf')
    expect(await tools.error('extract_pdf_text', { pdf_path: 'a.txt' })).toBe('Error: File a.txt is not a PDF file')
    expect(await tools.error('extract_pdf_text', { pdf_path: 'bad.pdf' })).toMatch(/^Error reading PDF bad\.pdf: .*structure/)
    expect(await tools.error('extract_pdf_text', { pdf_path: '/etc/x.pdf' })).toContain('outside of the folders')
  })

  it('list and read all of a folder', async () => {
    const cwd = folder()
    await using tools = await toolCaller({ cwd })
    expect(await tools.value('extract_all_pdfs_text', { directory_path: '.' })).toEqual({
      message: 'No PDF files found in directory: .',
    })
    mkdirSync(join(cwd, 'docs'))
    writeFileSync(join(cwd, 'docs/b.pdf'), pdf('bee'))
    writeFileSync(join(cwd, 'docs/a.pdf'), pdf('ay'))
    writeFileSync(join(cwd, 'docs/c.pdf'), '')
    expect(await tools.value('list_pdfs_in_directory', { directory_path: 'docs' })).toEqual(
      ['a', 'b', 'c'].map((name) => join(cwd, 'docs', `${name}.pdf`)),
    )
    expect(await tools.value('list_pdfs_in_directory', { directory_path: 'none' })).toEqual([])
    expect(await tools.value('extract_all_pdfs_text', { directory_path: 'docs', simulate_human: false })).toEqual({
      'a.pdf': '--- Page 1 ---\nay\n',
      'b.pdf': '--- Page 1 ---\nbee\n',
      'c.pdf': expect.stringMatching(/^Error reading PDF c\.pdf: /) as unknown,
    })
    expect(await tools.value('extract_all_pdfs_text', { directory_path: 'none' })).toEqual({ error: 'Directory not found: none' })
    expect(await tools.value('extract_all_pdfs_text', { directory_path: 'docs/a.pdf' })).toEqual({
      error: 'Path is not a directory: docs/a.pdf',
    })
  })

  it('take a bounded amount of memory, and say when a file would need more', async () => {
    const cwd = folder()
    await using tools = await toolCaller({ cwd })
    // 400 MiB of blanks in 0.4 MB.
    writeFileSync(join(cwd, 'bomb.pdf'), bomb(400 * 1024 * 1024))
    writeFileSync(join(cwd, 'good.pdf'), pdf('still there'))
    const before = process.memoryUsage.rss()
    const error = await tools.error('extract_pdf_text', { pdf_path: 'bomb.pdf' })
    expect(error).toContain('Error reading PDF bomb.pdf: ')
    expect(error).toContain(`to read it takes more than ${PDF_LIMITS.memory} MiB of memory`)
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024)
    expect(await tools.value('extract_all_pdfs_text', { directory_path: '.' })).toEqual({
      'bomb.pdf': error,
      'good.pdf': '--- Page 1 ---\nstill there\n',
    })
  })

  it('end the reading when the call is cancelled', async () => {
    const cwd = folder()
    writeFileSync(join(cwd, 'bomb.pdf'), bomb(100 * 1024 * 1024))
    await using file = await open(join(cwd, 'bomb.pdf'))
    const cancel = new AbortController()
    const reading = pdfText(file, { clock: new ManualClock(), env: process.env, signal: cancel.signal })
    cancel.abort()
    await expect(reading).rejects.toMatchObject({ code: 'TOOL_CANCELLED' })
  })

  it('end the reading at its time', async () => {
    const cwd = folder()
    writeFileSync(join(cwd, 'bomb.pdf'), bomb(100 * 1024 * 1024))
    await using file = await open(join(cwd, 'bomb.pdf'))
    const clock = new ManualClock()
    const reading = pdfText(file, { clock, env: process.env, signal: new AbortController().signal })
    reading.catch(() => {})
    await expect.poll(() => clock.pending).toBeGreaterThan(0)
    await clock.advance(PDF_LIMITS.time)
    await expect(reading).rejects.toMatchObject({ code: 'TIMEOUT' })
  })
})
