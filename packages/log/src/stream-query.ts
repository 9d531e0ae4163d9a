import type { StreamQuery } from './types.js'

/** A list of streams as SQL with its values. The labels must have been checked. */
export function streamQuery(query: StreamQuery): { sql: string; values: (string | number)[] } {
  const labels = Object.entries(query.labels ?? {})
  const conditions = labels.map(([label]) => `label_${label} = ?`)
  const values: (string | number)[] = labels.map(([, value]) => value)
  if (query.stream !== undefined) {
    conditions.push('stream = ?')
    values.push(query.stream)
  }
  if (query.open !== undefined) conditions.push(`closed_at IS ${query.open ? '' : 'NOT '}NULL`)
  if (query.before !== undefined) {
    conditions.push('first_seq < (SELECT first_seq FROM streams WHERE stream = ?)')
    values.push(query.before)
  }
  values.push(query.limit ?? -1)
  // Few streams are open at a time; SQLite's planner does not know that.
  const source = query.open === true ? 'streams INDEXED BY streams_open' : 'streams'
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  const order = query.newestFirst === true ? 'DESC' : 'ASC'
  return { sql: `SELECT * FROM ${source} ${where} ORDER BY first_seq ${order} LIMIT ?`, values }
}
