/** The bounds of the file tools: sizes in bytes, times in milliseconds. */
export const FILE_LIMITS = {
  /** Bytes of a file that one read gives, unless less is asked for. */
  read: 256 * 1024,
  /** Most bytes that one read gives. */
  readMost: 4 * 1024 * 1024,
  /** A file up to this size is hashed when it is looked at. */
  hashed: 64 * 1024 * 1024,
  /** Content of one write. */
  write: 32 * 1024 * 1024,
  /** A file that can be edited. */
  edited: 16 * 1024 * 1024,
  /** Entries that one list gives, unless fewer are asked for, and at most. */
  entries: 1000,
  entriesMost: 10_000,
  /** Matches that one search gives, unless fewer are asked for, and at most. */
  matches: 200,
  matchesMost: 2000,
  /** Entries that one search looks at. */
  searched: 500_000,
  /** A larger file is not searched for content. */
  searchedFile: 16 * 1024 * 1024,
  /** Characters of a line that a match shows. */
  line: 400,
  /** Levels of folders. */
  depth: 64,
  searchTime: 60_000,
  /** A pattern that takes longer than this on one file is abandoned; the device answers nothing else meanwhile. */
  patternTime: 300,
} as const
