import { programName } from './programs.js'

/** Programs whose words may be names of other machines without being addresses. */
const CONNECTS: ReadonlySet<string> = new Set(
  'curl wget ping ping6 traceroute tracepath mtr dig host nslookup ssh scp sftp rsync nc ncat telnet ftp whois openssl git'.split(
    ' ',
  ),
)

/** The hosts of all addresses in arguments, with their port where one is given. */
export function hostsInArguments(value: unknown): string[] {
  if (typeof value === 'string') return hostOf(value.trim())
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(hostsInArguments) : []
}

/** The hosts that the words of a command name: in addresses anywhere in a word, and for programs that connect, in place of one. */
export function hostsInWords(argv: readonly string[]): string[] {
  const [program = '', ...args] = argv
  const connects = CONNECTS.has(programName(program))
  return args.flatMap((word) => {
    const address = /[a-z][a-z0-9+.-]*:\/\/.*$/is.exec(word)
    if (address !== null) return hostOf(address[0])
    // USER@HOST:PATH of scp and git, @SERVER of dig, HOST:PORT/PATH of curl.
    const [, host, port = ''] = (connects ? /^(?:[^@/]*@)?([a-z\d.-]+)(:\d+)?(?:[:/].*)?$/i.exec(word) : null) ?? []
    return host === undefined || host.startsWith('-') ? [] : [host + port]
  })
}

function hostOf(text: string): string[] {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? URL.parse(text) : null
  return url === null || url.host === '' ? [] : [url.host]
}
