import { inFolder } from '../eval-task.ts'

/** Processes and archives. */
export const systemTasks = [
  inFolder({
    id: 'processes-stop',
    area: 'processes',
    request:
      'A process whose id is in worker.pid no longer does anything useful. Stop it. The process in keeper.pid must keep running.',
    setup: 'setsid sleep 611 >/dev/null 2>&1 & echo $! > worker.pid; setsid sleep 612 >/dev/null 2>&1 & echo $! > keeper.pid',
    // A zombie counts as ended; on a busy machine a process ends a while after its signal.
    check:
      'n=0; while ps -o stat= -p "$(cat worker.pid)" | grep -q "^[^Z]"; do n=$((n+1)); [ $n -gt 40 ] && exit 1; sleep 0.05; done; kill -0 "$(cat keeper.pid)"',
    solution: ['kill "$(cat worker.pid)"'],
  }),
  inFolder({
    id: 'processes-find',
    area: 'processes',
    request: 'A process has the file held.log in this folder open. Write the id of that process into answer.txt.',
    setup: 'setsid sleep 613 > held.log 2>/dev/null & echo $! > .expected; mv .expected ../expected-$(basename "$PWD")',
    check: 'grep -qx "$(cat ../expected-$(basename "$PWD"))" answer.txt',
    solution: [
      'for p in /proc/[0-9]*; do ls -l $p/fd 2>/dev/null | grep -q "$PWD/held.log" && basename $p; done | head -1 > answer.txt',
    ],
  }),
  inFolder({
    id: 'processes-memory',
    area: 'processes',
    request: 'How much memory does this machine have in total? Write the number of kB, as the kernel gives it, into memory.txt.',
    setup: 'true',
    check: 'grep -qx "$(awk "/^MemTotal/ {print \\$2}" /proc/meminfo)" memory.txt',
    solution: ['awk "/^MemTotal/ {print \\$2}" /proc/meminfo > memory.txt'],
  }),
  inFolder({
    id: 'processes-script',
    area: 'processes',
    request:
      'Write a script count.sh that prints the numbers from 1 to 5, one a line, make it executable, and run it with its output in count.log.',
    setup: 'true',
    check: '[ -x count.sh ] && [ "$(cat count.log)" = "$(seq 5)" ] && [ "$(./count.sh)" = "$(seq 5)" ]',
    solution: ['printf "#!/bin/sh\\nseq 5\\n" > count.sh; chmod +x count.sh', './count.sh > count.log'],
  }),
  inFolder({
    id: 'archives-pack',
    area: 'archives',
    request: 'Pack the folder project into project.tar.gz, without the files that end in .tmp. The folder itself stays.',
    setup: 'mkdir -p project/src; echo a > project/src/a.c; echo b > project/b.tmp; echo r > project/README',
    check:
      'tar -tzf project.tar.gz | grep -q "project/src/a.c$" && tar -tzf project.tar.gz | grep -q "README$" && ! tar -tzf project.tar.gz | grep -q tmp && [ -e project/b.tmp ]',
    solution: ['tar --exclude="*.tmp" -czf project.tar.gz project'],
  }),
  inFolder({
    id: 'archives-nested',
    area: 'archives',
    request: 'outer.tar contains an archive that contains the file secret.txt. Put secret.txt into this folder.',
    setup:
      'echo treasure > secret.txt; tar -czf inner.tar.gz secret.txt; tar -cf outer.tar inner.tar.gz; rm secret.txt inner.tar.gz',
    check: 'grep -qx treasure secret.txt',
    solution: ['tar -tf outer.tar', 'tar -xf outer.tar && tar -xzf inner.tar.gz'],
  }),
  inFolder({
    id: 'archives-restore',
    area: 'archives',
    request: 'config.ini was damaged. Restore it from backup.tar.gz, and restore nothing else from there.',
    setup:
      'echo good > config.ini; echo old > data.txt; tar -czf backup.tar.gz config.ini data.txt; echo damaged > config.ini; echo new > data.txt',
    check: 'grep -qx good config.ini && grep -qx new data.txt',
    solution: ['tar -xzf backup.tar.gz config.ini'],
  }),
]
