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

/** Variables that say how to reach other machines and whose certificates count, in capital and small letters. */
const NETWORK: ReadonlySet<string> = new Set([
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'NODE_EXTRA_CA_CERTS',
  'NODE_USE_ENV_PROXY',
  'NODE_USE_SYSTEM_CA',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
])
/** Settings of programs that download others. */
const RUNNERS = /^(NPM_CONFIG|UV|PIP|PIPX|PNPM|YARN|BUN|DENO)_/i
/** What `npm run` sets for its own package, and what may hold a key. */
const NOT_PASSED =
  /^npm_config_(local_prefix|global_prefix|prefix|user_agent|npm_version|node_gyp|init_module)$|auth|token|passw|secret|credential|_key$/i

/** Variables of an environment, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The environment of a child process: the harmless variables of the device's own, never its keys.
 * @param extra variables that the configuration adds; they win
 */
export function childEnvironment(own: Environment, extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { ...networkOf(own), ...plainEnvironment(own, extra) }
}

/** Like {@link childEnvironment}, for programs that reach no other machine: the address of a proxy may hold a password. */
export function plainEnvironment(own: Environment, extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const chosen: Record<string, string> = {}
  for (const name of process.platform === 'win32' ? WINDOWS : POSIX) {
    const value = own[name]
    if (value !== undefined) chosen[name] = value
  }
  return { ...chosen, ...extra }
}

function networkOf(own: Environment): Record<string, string> {
  const chosen: Record<string, string> = {}
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined || value === '' || NOT_PASSED.test(name)) continue
    if (NETWORK.has(name.toUpperCase()) || RUNNERS.test(name)) chosen[name] = value
  }
  return chosen
}
