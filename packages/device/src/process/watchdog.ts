import { spawn, type ChildProcess } from 'node:child_process'
import { Socket } from 'node:net'

/**
 * Takes `+ GROUP` and `- GROUP` from its standard input; when that closes, because this process has ended in whatever way, the groups
 * that are left are ended, and on Linux the other groups of their sessions too: again until none is left, or what is left cannot end. A shell, because it must be
 * small and cannot die of what kills this process.
 */
const SCRIPT = `
groups=' '
while read -r change group; do
  case $change in
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
left=yes rounds=
while [ $left ] && [ \${#rounds} -lt 50 ]; do
  left= rounds=x$rounds
  for file in /proc/[0-9]*/stat; do
    read -r line < "$file" || continue
    set -- \${line##*) }
    case "$1$groups" in [!ZX]*" $4 "*) pid=\${file#/proc/}; kill -s KILL "\${pid%/stat}" && left=yes ;; esac
  done
done
`

/** Ends process groups when this process is killed and cannot do it itself. One small helper process, started with the first group. */
export class Watchdog {
  readonly #groups = new Set<number>()
  #helper: ChildProcess | null = null

  /** Watches over a group, and the session that its leader may lead. */
  add(group: number): void {
    this.#groups.add(group)
    if (this.#helper === null) this.#start()
    else this.#tell('+', group)
  }

  /** The group has ended: its number may belong to others from now on. */
  remove(group: number): void {
    this.#groups.delete(group)
    this.#tell('-', group)
  }

  #start(): void {
    // In a group of its own, so that Ctrl-C in a terminal does not end it with this process.
    const helper: ChildProcess = spawn('/bin/sh', ['-c', SCRIPT], {
      detached: true,
      cwd: '/',
      env: {},
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#helper = helper
    const gone = (): void => {
      if (this.#helper === helper) this.#helper = null
    }
    helper.once('error', gone)
    helper.once('exit', (_code, signal) => {
      gone()
      // Somebody has ended it; there is still something to watch over.
      if (signal !== null && this.#helper === null && this.#groups.size > 0) this.#start()
    })
    helper.stdin?.on('error', gone)
    // Neither keeps this process alive.
    helper.unref()
    if (helper.stdin instanceof Socket) helper.stdin.unref()
    for (const group of this.#groups) this.#tell('+', group)
  }

  #tell(change: '+' | '-', group: number): void {
    this.#helper?.stdin?.write(`${change} ${group}\n`)
  }
}
