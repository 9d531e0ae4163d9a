import { spawn, type ChildProcess } from 'node:child_process'
import { Socket } from 'node:net'
import { MARK_VARIABLE, RUN_MARK } from './mark.js'

/**
 * Takes `+ GROUP` and `- GROUP` from its standard input; when that closes, because this process has ended somehow, what is left
 * ends: the groups, and on Linux the other groups of their sessions and all processes with a mark of this process. Again until none is
 * left, or what is left cannot end; and once more a moment later, for what was just being started. A shell, because it must be small
 * and cannot die of what kills this process.
 */
const SCRIPT = `
mark=$1 groups=' '
while read -r change group; do
  case $change in
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
for pause in 0 1; do
  sleep $pause
  left=yes rounds=
  while [ $left ] && [ \${#rounds} -lt 50 ]; do
    left= rounds=x$rounds
    for file in /proc/[0-9]*/stat; do
      read -r line < "$file" || continue
      set -- \${line##*) }
      case "$1$groups" in [!ZX]*" $4 "*) pid=\${file#/proc/}; kill -s KILL "\${pid%/stat}" && left=yes ;; esac
    done
    for file in $(grep -lsF "$mark" /proc/[0-9]*/environ); do
      pid=\${file#/proc/}; kill -s KILL "\${pid%/environ}" && left=yes
    done
  done
  # A moment later these numbers may belong to others.
  groups=' '
done
`

/** Ends what was started when this process is killed and cannot do it itself: one small helper process. */
export class Watchdog {
  readonly #groups = new Set<number>()
  #helper: ChildProcess | null = null

  /** Watches over a group, and the session that its leader may lead. */
  add(group: number): void {
    this.#groups.add(group)
    this.#tell('+', group)
  }

  /** The group has ended: from now on its number may belong to others. */
  remove(group: number): void {
    this.#groups.delete(group)
    this.#tell('-', group)
  }

  /** Starts the helper, if it does not run. */
  start(): void {
    if (this.#helper !== null) return
    // In a separate group, so that Ctrl-C in a terminal does not end it with this process.
    const helper: ChildProcess = spawn('/bin/sh', ['-c', SCRIPT, 'sh', `${MARK_VARIABLE}=${RUN_MARK}`], {
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
      // It was ended from outside.
      if (signal !== null) this.start()
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
