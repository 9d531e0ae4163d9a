/** One problem in a file. Lines and columns count from 1. */
export interface FileProblem {
  line: number
  column: number
  message: string
}

/** Formats problems in the order of the file, one `file:line:column: reason` per line. */
export function describeProblems(file: string, problems: readonly FileProblem[]): string {
  const ordered = [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
  return ordered.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`).join('\n')
}
