/** What models write before the name of a tool. */
const PREFIX = /^(functions?|tools?|default_api|mcp)[.:/]/i

/**
 * Returns the tool that a model means by a name: one that it knows, also with what some models write around it, in other case, or as the
 * device itself calls it. A name that could mean several, or none, stays as it is.
 * @param known the tools by their names for the model, with the names that the device has for them
 */
export function meantTool(name: string, known: ReadonlyMap<string, string>): string {
  if (known.has(name)) return name
  const short = name.replace(PREFIX, '').replace(/(:\d+|\(\))$/, '')
  if (known.has(short)) return short
  const wanted = short.toLowerCase()
  const meant = [...known].filter(([each, own]) => own === name || own === short || each.toLowerCase() === wanted)
  return meant.length === 1 ? (meant[0]?.[0] ?? name) : name
}
