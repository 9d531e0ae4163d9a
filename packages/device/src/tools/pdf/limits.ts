import { defineLimits, limit, limitValues } from '@orrery/aip'

/** The limits of the PDF tools. */
export const PDF_LIMITS_TABLE = defineLimits({
  file: limit(100 * 1024 * 1024, 'bytes', 'A file that is read.'),
  text: limit(4 * 1024 * 1024, 'characters', 'The text that one call gives; it says when the rest is left out.'),
  files: limit(200, 'files', 'Files of a folder that one call reads or lists.'),
  time: limit(60_000, 'ms', 'One file; a reader that takes longer is ended.'),
  memory: limit(
    512,
    'MiB',
    'The memory of the process that reads a file, and so what a file may unfold to; above it the process is ended.',
  ),
  look: limit(20, 'ms', 'How often that process looks at its memory.'),
  reserved: limit(
    1024,
    'MiB',
    'What Node.js reserves without using it: the system refuses that process memory beyond both (not on Windows).',
  ),
})

/** The values of {@link PDF_LIMITS_TABLE} by name. */
export const PDF_LIMITS = limitValues(PDF_LIMITS_TABLE)
