/** The bounds of the PDF tools: sizes in bytes, times in milliseconds. */
export const PDF_LIMITS = {
  /** A larger file is refused. */
  file: 100 * 1024 * 1024,
  /** Characters of text that one call returns; the text says when the rest is left out. */
  text: 4 * 1024 * 1024,
  /** Files of a folder that one call reads or lists. */
  files: 200,
  /** One file; a worker that takes longer is ended. */
  time: 60_000,
  /** Memory of the worker, in MiB. */
  memory: 512,
} as const
