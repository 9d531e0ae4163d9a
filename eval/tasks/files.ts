import { inFolder } from '../eval-task.ts'

/** Files and folders. */
export const filesTasks = [
  inFolder({
    id: 'files-move-by-type',
    area: 'files',
    request:
      'Move all .jpg files, wherever they are below this folder, into a new folder named photos. Leave everything else where it is.',
    setup: 'mkdir -p a/b; touch 1.jpg a/2.jpg a/b/3.jpg a/keep.txt',
    check:
      '[ "$(ls photos | sort | tr "\\n" " ")" = "1.jpg 2.jpg 3.jpg " ] && [ -e a/keep.txt ] && [ -z "$(find . -name "*.jpg" -not -path "./photos/*")" ]',
    solution: ['mkdir photos', 'find . -name "*.jpg" -not -path "./photos/*" -exec mv {} photos/ \\;'],
  }),
  inFolder({
    id: 'files-rename-dates',
    area: 'files',
    request: 'The files are named like report-31-12-2025.txt (day-month-year). Rename each to the form report-2025-12-31.txt.',
    setup: 'for d in 31-12-2025 01-02-2026 15-07-2024; do echo $d > report-$d.txt; done',
    check:
      '[ "$(ls | tr "\\n" " ")" = "report-2024-07-15.txt report-2025-12-31.txt report-2026-02-01.txt " ] && grep -q 15-07-2024 report-2024-07-15.txt',
    solution: [
      'for f in report-*.txt; do n=$(echo $f | sed -E "s/report-([0-9]{2})-([0-9]{2})-([0-9]{4})/report-\\3-\\2-\\1/"); mv $f $n; done',
    ],
  }),
  inFolder({
    id: 'files-duplicates',
    area: 'files',
    request:
      'Some files have the same content. Of each group of equal files keep only the one whose name comes first in the alphabet, and delete the others.',
    setup: 'echo one > b.txt; echo one > a.txt; echo one > z.txt; echo two > c.txt; echo two > d.txt; echo three > e.txt',
    check: '[ "$(ls | tr "\\n" " ")" = "a.txt c.txt e.txt " ]',
    solution: ['md5sum * | sort -k1,1 -k2,2 | awk "seen[\\$1]++ {print \\$2}" | xargs rm'],
  }),
  inFolder({
    id: 'files-largest',
    area: 'files',
    request: 'Which file below this folder is the largest? Write its path, relative to this folder, into the file answer.txt.',
    setup: 'mkdir -p x/y; head -c 1000 /dev/zero > x/small; head -c 90000 /dev/zero > x/y/big; head -c 50000 /dev/zero > middle',
    check: 'sed "s#^\\./##" answer.txt | grep -qx "x/y/big"',
    solution: ['find . -type f -printf "%s %P\\n" | sort -rn | head -1 | cut -d" " -f2 > answer.txt'],
  }),
  inFolder({
    id: 'files-permissions',
    area: 'files',
    request: 'Make every .sh file executable for its owner, and every .key file readable and writable by its owner alone.',
    setup: 'touch a.sh b.sh c.key note.txt; chmod 644 *',
    check: '[ -x a.sh ] && [ -x b.sh ] && [ "$(stat -c %a c.key)" = 600 ] && [ "$(stat -c %a note.txt)" = 644 ]',
    solution: ['chmod u+x *.sh && chmod 600 *.key'],
  }),
  inFolder({
    id: 'files-links',
    area: 'files',
    request: 'Some symbolic links here point to nothing. Delete exactly those.',
    setup: 'touch real; ln -s real good; ln -s gone bad1; ln -s nowhere/at/all bad2',
    check: '[ -L good ] && [ -e real ] && [ ! -L bad1 ] && [ ! -L bad2 ]',
    solution: ['find . -xtype l -delete'],
  }),
]
