import { basename } from 'node:path'

/** Programs that start the program which their arguments name. */
const STARTERS: ReadonlySet<string> = new Set(
  (
    'env xargs nohup nice timeout gtimeout sudo doas stdbuf setsid ionice chroot watch time strace ltrace script busybox toybox parallel ' +
    'unshare nsenter systemd-run flock chrt taskset caffeinate start-stop-daemon runuser su pkexec command exec eval builtin . source ' +
    'coproc ! find fd ssh docker podman kubectl setarch linux32 linux64 i386 x86_64 uname26 prlimit capsh setpriv sg newgrp choom cpulimit ' +
    'fakeroot faketime eatmydata dbus-run-session dbus-launch xvfb-run screen tmux run-parts valgrind perf systemd-inhibit systemd-cat ' +
    'rlwrap unbuffer socat nc ncat torsocks proxychains firejail bwrap chpst lxc-attach machinectl ip busctl git-shell scriptreplay'
  ).split(' '),
)

/** Programs that run code, whose effect cannot be foreseen from the arguments. */
const INTERPRETERS =
  /^(ld(?:-linux[\w-]*|-musl[\w-]*)?\.so|sh|bash|dash|ash|zsh|ksh|mksh|fish|csh|tcsh|pwsh|powershell|cmd|python|pypy|perl|ruby|irb|node|nodejs|deno|bun|npx|npm|pnpm|yarn|php|lua|luajit|tclsh|wish|expect|awk|gawk|mawk|nawk|sed|ed|ex|vi|vim|nvim|view|nano|emacs|less|more|most|man|make|gmake|gdb|osascript|R|Rscript|julia|java|groovy|scala|ghci|guile|sqlite3|psql|mysql|crontab|at|batch)[\d.]*$/

/** The name by which a program is known: without its folder, and without `.exe`. */
export function programName(program: string): string {
  return basename(program.replaceAll('\\', '/')).replace(/\.exe$/i, '')
}

/** Returns whether a program can run what its arguments do not show plainly. */
export function isInterpreter(program: string): boolean {
  return INTERPRETERS.test(programName(program))
}

/** Returns whether a program starts others, as a starter or as an interpreter: only a rule that names it matches it. */
export function startsPrograms(program: string): boolean {
  return STARTERS.has(programName(program)) || isInterpreter(program)
}

/** The command itself, and every command that it could start by naming it in its arguments. */
export function commandsIn(argv: readonly string[]): readonly string[][] {
  const all = [[...argv]]
  // A starter may name another starter, so every later word may be a program.
  if (argv.some((word, at) => at < 3 && STARTERS.has(programName(word)))) {
    for (let at = 1; at < argv.length; at += 1) all.push(argv.slice(at))
  }
  return all
}

/** Options by which a program starts another one, or writes to a file that is named in passing. */
interface RiskyOptions {
  /** Letters of short options. */
  short?: string
  /** Letters of short options that take the rest of the word, or the next word, as their value. */
  valued?: string
  long?: readonly string[]
  /** Whole words. */
  words?: RegExp
}

const RISKY: Readonly<Record<string, RiskyOptions>> = {
  find: { words: /^-(exec|ok|delete|fprint|fls)/ },
  fd: { short: 'xX', valued: 'eEtdSoj', long: ['--exec', '--exec-batch'] },
  sort: { short: 'o', valued: 'koStT', long: ['--output', '--compress-program'] },
  file: { short: 'C', valued: 'eFfmP', long: ['--compile'] },
  diff: { short: 'l', valued: 'CDFIUWxXS', long: ['--paginate'] },
  tar: {
    short: 'IFP',
    valued: 'fbCgHKLNTVXI',
    long: [
      '--to-command',
      '--checkpoint-action',
      '--use-compress-program',
      '--info-script',
      '--new-volume-script',
      '--rmt-command',
      '--rsh-command',
      '--absolute-names',
    ],
    // An archive on another machine is opened by a program that logs in there.
    words: /^([A-Za-z]*[IFP][A-Za-z]*|[^/:]+:.*)$/,
  },
  git: {
    short: 'cO',
    valued: 'cCO',
    long: [
      '--config-env',
      '--exec-path',
      '--git-dir',
      '--work-tree',
      '--upload-pack',
      '--receive-pack',
      '--exec',
      '--open-files-in-pager',
      '--ext-diff',
      '--textconv',
      '--output',
      '--config',
      '--template',
    ],
    words: /^ext::/,
  },
  split: { long: ['--filter'] },
  rsync: { short: 'e', valued: 'efBTM', long: ['--rsh', '--rsync-path', '--remove-source-files'] },
  scp: { short: 'oSF', valued: 'oSFiPlcJD', long: [] },
  sftp: { short: 'oSF', valued: 'oSFiPlcJDbB', long: [] },
  curl: {
    short: 'oOKTD',
    valued: 'oKTDduHAbecEFXxmwyzrtuUQ',
    long: ['--output', '--remote-name', '--config', '--upload-file', '--dump-header', '--output-dir', '--cookie-jar'],
  },
  wget: {
    short: 'OPieao',
    valued: 'OPieaotTwQUAR',
    long: ['--output-document', '--directory-prefix', '--use-askpass', '--execute', '--input-file', '--config', '--post-file'],
  },
  zip: { short: 'T', valued: 'btnxi', long: ['--unzip-command', '--test'], words: /^-TT$/ },
  gcc: { words: /^-(wrapper|fplugin|B|specs)/ },
  ip: { short: 'b', long: ['--batch', '-batch', '-force'] },
  tcpdump: { short: 'zw', valued: 'zwrCGiscZW' },
  journalctl: { words: /^--(vacuum|rotate|flush|relinquish|sync)/ },
  date: { short: 's', valued: 'dfrIs', long: ['--set'] },
}

/** Returns whether an argument makes its program start another one, or write to a file. Known for the programs of {@link RISKY} alone. */
export function isRisky(program: string, arg: string): boolean {
  const options = Object.hasOwn(RISKY, programName(program)) ? RISKY[programName(program)] : undefined
  if (options === undefined) return false
  const { short = '', valued = '', long = [], words } = options
  if (words?.test(arg) === true) return true
  return isLong(arg, long) || letters(arg, valued).some((letter) => short.includes(letter))
}

/** The letters of a bundle of short options such as `-uo`, up to one that takes the rest as its value. */
function letters(arg: string, valued: string): string[] {
  if (!/^-[^-]/.test(arg)) return []
  const all = arg.slice(1).split('')
  const end = all.findIndex((letter) => valued.includes(letter))
  return end < 0 ? all : all.slice(0, end + 1)
}

/** Returns whether `arg` is one of these long options; programs also take unambiguous abbreviations. */
function isLong(arg: string, options: readonly string[]): boolean {
  const name = arg.split('=', 1)[0] ?? ''
  return name.length > 2 && options.some((option) => option.startsWith(name))
}
