/** One end of a copy. */
export type CopyPlace =
  | { on: 'here'; path: string }
  /** `device` is undefined where the id was left out. */
  | { on: 'device'; device: string | undefined; path: string }

/**
 * What a word of `orrery cp` names: `DEVICE:PATH`, `:PATH` on the only device that is online, or a path on this machine. As with scp a
 * word whose first colon comes after a slash is a path here.
 * @param ids of devices; an id may hold colons, and one of these is then preferred
 */
export function copyPlace(word: string, ids: readonly string[] = []): CopyPlace {
  const colon = word.indexOf(':')
  const isDrive = process.platform === 'win32' && /^[A-Za-z]:[\\/]/.test(word)
  if (colon < 0 || isDrive || /[\\/]/.test(word.slice(0, colon))) return { on: 'here', path: word }
  const known = ids.filter((id) => word.startsWith(`${id}:`)).sort((a, b) => b.length - a.length)[0]
  const device = known ?? word.slice(0, colon)
  return { on: 'device', device: device === '' ? undefined : device, path: word.slice(device.length + 1) }
}

/** The name of the file that a path leads to, on whatever system; empty for a folder. */
export function fileNameIn(path: string): string {
  const name = path.split(path.includes('/') ? '/' : '\\').at(-1) ?? ''
  return name === '.' || name === '..' ? '' : name
}

/** Where a file goes: a path that is empty or ends with a slash is that of a folder, and the file keeps its name. */
export function targetPath(path: string, name: string): string {
  return path === '' || /[\\/]$/.test(path) ? `${path}${name}` : path
}
