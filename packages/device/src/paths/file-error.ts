import { getSystemErrorMap } from 'node:util'
import { AipError, aipError, messageOf } from '@orrery/aip'

/** The error of a file system call in words that name the path as the caller gave it. @param path as it was asked for */
export function fileError(error: unknown, path: string): AipError {
  if (error instanceof AipError) return error
  const code = codeOf(error)
  if (code === 'ENOENT') return aipError('FILE_NOT_FOUND', { path })
  if (code === 'EEXIST' || code === 'ENOTEMPTY') return aipError('FILE_EXISTS', { path })
  if (code === 'ENOTDIR') return aipError('PATH_KIND', { path, expected: 'a folder' })
  if (code === 'EISDIR') return aipError('PATH_KIND', { path, expected: 'a file' })
  // Only when it was put there after the check: the paths that are opened have no links left.
  if (code === 'ELOOP') return aipError('FILE_CHANGED', { path, detail: 'it became a link meanwhile' })
  return aipError('FILE_FAILED', { path, detail: descriptionOf(error) })
}

/** The system's code of an error, such as `ENOENT`. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null
}

/** The message of a system error without the path in it, which may be one that only this process knows. */
function descriptionOf(error: unknown): string {
  const number = error instanceof Error && 'errno' in error && typeof error.errno === 'number' ? error.errno : 0
  return getSystemErrorMap().get(number)?.[1] ?? messageOf(error)
}
