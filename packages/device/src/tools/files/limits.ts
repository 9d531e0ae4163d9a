import { defineLimits, limit, limitValues } from '@orrery/aip'

/** The limits of the file tools. */
export const FILE_LIMITS_TABLE = defineLimits({
  read: limit(256 * 1024, 'bytes', 'What one read gives unless it asks for less or more.'),
  readMost: limit(4 * 1024 * 1024, 'bytes', 'What one read gives at most.'),
  hashed: limit(64 * 1024 * 1024, 'bytes', 'A file that is hashed when it is looked at.'),
  write: limit(32 * 1024 * 1024, 'bytes', 'The content of one write.'),
  edited: limit(16 * 1024 * 1024, 'bytes', 'A file that can be edited.'),
  entries: limit(1000, 'entries', 'What one list gives unless it asks for fewer or more.'),
  entriesMost: limit(10_000, 'entries', 'What one list gives at most.'),
  matches: limit(200, 'matches', 'What one search gives unless it asks for fewer or more.'),
  matchesMost: limit(2000, 'matches', 'What one search gives at most.'),
  searched: limit(500_000, 'entries', 'Entries that one search looks at.'),
  searchedFile: limit(16 * 1024 * 1024, 'bytes', 'A file that is searched for content.'),
  line: limit(400, 'characters', 'What a match shows of its line.'),
  depth: limit(64, 'levels', 'Folders within each other.'),
  searchTime: limit(60_000, 'ms', 'One search.'),
  patternTime: limit(300, 'ms', 'A pattern on one file; the device answers nothing else meanwhile.'),
})

/** The values of {@link FILE_LIMITS_TABLE} by name. */
export const FILE_LIMITS = limitValues(FILE_LIMITS_TABLE)
