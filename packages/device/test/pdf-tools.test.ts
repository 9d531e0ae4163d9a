import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolders } from './support/temporary.js'
import { toolCaller } from './support/tool-caller.js'

const folder = temporaryFolders()

/** A PDF with one line of text on each page. */
function pdf(...lines: string[]): string {
  const objects = ['<< /Type /Catalog /Pages 2 0 R >>', '', '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>']
  const pages = lines.map((line) => {
    const stream = `BT /F1 12 Tf 72 700 Td (${line}) Tj ET`
    objects.push(`<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`)
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
  return `${text}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join('')}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${xref}\n%%EOF\n`
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
})
