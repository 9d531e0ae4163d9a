import { isInterpreter, isRisky, programName } from './programs.js'

/**
 * Programs that start no other one, whatever their words, options of `programs.ts` aside. Only what is listed here is taken for plain: a
 * list of those that do start others would never be complete.
 */
const PLAIN: ReadonlySet<string> = new Set(
  // what shows files and text
  (
    'ls cat head tail cut wc sort uniq md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum cksum sum file grep egrep fgrep diff cmp ' +
    'comm join paste tr fold fmt nl od hexdump xxd strings readelf tac rev expand unexpand tsort shuf seq factor numfmt base32 base64 basenc ' +
    'column jq tree pr look locate which whereis basename dirname realpath readlink stat du df pwd ' +
    // what shows the machine
    'free uptime uname whoami id groups who w users last lastlog tty arch nproc hostname lscpu lsblk lsmem lsusb lspci lsof findmnt ps pgrep ' +
    'pidof top vmstat iostat mpstat sar ss netstat dmesg journalctl date cal ncal getent printenv nvidia-smi sensors ' +
    // what changes files
    'cp mv rm rmdir mkdir touch ln unlink link chmod chown chgrp truncate tee dd mktemp mkfifo shred sync split csplit gzip gunzip zcat bzip2 ' +
    'bunzip2 bzcat xz unxz xzcat zstd unzstd zstdcat lz4 zip unzip tar find iconv dos2unix unix2dos ' +
    // the rest
    'echo printf true false test [ expr yes sleep kill killall pkill logger ping traceroute dig host nslookup curl wget git systemctl'
  ).split(' '),
)

/** Of these only some subcommands are plain; what configuration files of the machine let them start is their owner's doing. */
const SUBCOMMANDS: Readonly<Record<string, ReadonlySet<string>>> = {
  git: new Set(
    (
      'status log diff show branch tag rev-parse rev-list ls-files ls-tree cat-file blame shortlog describe remote add commit checkout switch ' +
      'restore stash merge cherry-pick revert reset rm mv fetch pull push clone init clean --version'
    ).split(' '),
  ),
  systemctl: new Set(
    'status show cat is-active is-enabled is-failed list-units list-unit-files list-timers list-sockets'.split(' '),
  ),
}

/** Options in front of a subcommand that take a word. */
const BEFORE_SUBCOMMAND: ReadonlySet<string> = new Set(['-C', '--namespace', '-H', '--host', '-M', '--machine'])

/** Options of these write files, and start nothing. */
const ONLY_WRITE: ReadonlySet<string> = new Set(['curl', 'date', 'file', 'journalctl'])

/** In a terminal these show long texts in a pager, which starts what is typed. */
const USES_PAGER: ReadonlySet<string> = new Set(['git', 'systemctl', 'journalctl', 'dmesg'])

/** Programs that start the command in their own words, and nothing else. */
const WRAPPERS: ReadonlySet<string> = new Set(
  'nice nohup timeout gtimeout stdbuf setsid ionice time chrt taskset caffeinate'.split(' '),
)

/**
 * Returns whether the words of a command show every program that it starts.
 * @param argv split, without a shell
 * @param terminal whether it runs in a terminal
 */
export function showsAllItStarts(argv: readonly string[], terminal = false): boolean {
  const [program = '', ...args] = argv
  const name = programName(program)
  if (WRAPPERS.has(name)) {
    // A value of an option that looks like a program is not plain, and the command is asked about.
    const inner = args.findIndex((arg) => !/^-|^[\d.,]+[smhd]?$|^0x[\da-f]+$/i.test(arg))
    return inner < 0 || showsAllItStarts(args.slice(inner), terminal)
  }
  if (!PLAIN.has(name) || isInterpreter(name)) return false
  if (terminal && USES_PAGER.has(name)) return false
  if (!ONLY_WRITE.has(name) && args.some((arg) => isRisky(program, arg))) return false
  // Only there the letter names a program on the other side, which may be this machine.
  if (name === 'git' && subcommandOf(args) === 'clone' && args.some((arg) => /^-[a-z]*u/.test(arg))) return false
  return otherSubcommand(argv) === null
}

/** The subcommand of a command, if it is one that is not known as plain. */
export function otherSubcommand([program = '', ...args]: readonly string[]): string | null {
  const name = programName(program)
  const known = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined
  const subcommand = subcommandOf(args)
  return known === undefined || known.has(subcommand) ? null : subcommand
}

function subcommandOf(args: readonly string[]): string {
  const at = args.findIndex(
    (arg, at) => arg === '--version' || (!arg.startsWith('-') && !BEFORE_SUBCOMMAND.has(args[at - 1] ?? '')),
  )
  return args[at] ?? ''
}
