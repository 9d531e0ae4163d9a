/** A file that is checked. */
export interface SourceFile {
  /** Relative to the root, with forward slashes. */
  path: string
  source: string
}

/** What a check found, at its place; line and column start at 1. */
export interface Finding {
  path: string
  line: number
  column: number
  text: string
}
