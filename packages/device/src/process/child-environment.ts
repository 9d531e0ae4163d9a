const POSIX = [
  'HOME',
  'LANG',
  'LC_ALL',
  'LOGNAME',
  'PATH',
  'SHELL',
  'TERM',
  'TMPDIR',
  'TZ',
  'USER',
  // What programs with windows need of the desktop that the device runs in.
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
]
const WINDOWS = [
  'APPDATA',
  'COMSPEC',
  'HOMEDRIVE',
  'HOMEPATH',
  'LOCALAPPDATA',
  'PATH',
  'PATHEXT',
  'PROGRAMFILES',
  'SYSTEMDRIVE',
  'SYSTEMROOT',
  'TEMP',
  'TMP',
  'USERNAME',
  'USERPROFILE',
]

/** Variables of an environment, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The environment of a child process: the harmless variables of the device's own, never its keys.
 * @param extra variables that the configuration adds; they win
 */
export function childEnvironment(own: Environment, extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const chosen: Record<string, string> = {}
  for (const name of process.platform === 'win32' ? WINDOWS : POSIX) {
    const value = own[name]
    if (value !== undefined) chosen[name] = value
  }
  return { ...chosen, ...extra }
}
