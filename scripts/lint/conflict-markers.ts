import type { Finding, SourceFile } from './finding.ts'

/** Reports what a merge left in a file: a compiler does not see it inside a comment. */
export function conflictFindings(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(({ path, source }) =>
    source
      .split('\n')
      .flatMap((text, at) =>
        /^(<{7}|>{7}) /.test(text) ? [{ path, line: at + 1, column: 1, text: 'a merge conflict is not resolved' }] : [],
      ),
  )
}
