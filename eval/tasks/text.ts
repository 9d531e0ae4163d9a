import { inFolder } from '../eval-task.ts'

/** Texts, logs and tables. */
export const textTasks = [
  inFolder({
    id: 'text-replace',
    area: 'text',
    request:
      'In all .conf files below this folder replace the host old.example.com by new.example.com. Other files stay as they are.',
    setup:
      'mkdir d; echo "host=old.example.com:80" > a.conf; echo "x old.example.com y old.example.com" > d/b.conf; echo old.example.com > c.txt',
    check:
      'grep -qx "host=new.example.com:80" a.conf && grep -qx "x new.example.com y new.example.com" d/b.conf && grep -qx old.example.com c.txt',
    solution: ['find . -name "*.conf" -exec sed -i "s/old\\.example\\.com/new.example.com/g" {} +'],
  }),
  inFolder({
    id: 'text-count-errors',
    area: 'text',
    request:
      'How many lines of app.log are errors, and which error comes most often? Answer with the number and the text of that error.',
    setup:
      'for i in 1 2 3 4 5; do echo "10:0$i ERROR disk full"; done > app.log; echo "10:06 INFO ERROR is a word here" >> app.log; echo "10:07 ERROR no route" >> app.log',
    check: 'echo "$RESULT" | grep -q 6 && echo "$RESULT" | grep -qi "disk full"',
    solution: [
      'grep -c "^[0-9:]* ERROR" app.log; grep -o "^[0-9:]* ERROR .*" app.log | cut -d" " -f3- | sort | uniq -c | sort -rn',
    ],
    answer: '6 lines are errors; most often: disk full',
  }),
  inFolder({
    id: 'text-csv-sum',
    area: 'text',
    request:
      'sales.csv has the columns region, amount. Write sums.csv with one line for each region: region,sum, sorted by region, without a header.',
    setup: 'printf "region,amount\\nnorth,10\\nsouth,5\\nnorth,7\\nwest,1\\nsouth,6\\n" > sales.csv',
    check: '[ "$(cat sums.csv)" = "$(printf "north,17\\nsouth,11\\nwest,1")" ]',
    solution: ['tail -n +2 sales.csv | awk -F, "{s[\\$1]+=\\$2} END {for (r in s) print r\\",\\"s[r]}" | sort > sums.csv'],
  }),
  inFolder({
    id: 'text-json',
    area: 'text',
    request:
      'In settings.json set the key "port" of the object "server" to 8080, and add "debug": false at the top level. Keep everything else.',
    setup: `echo '{"name": "demo", "server": {"host": "localhost", "port": 80}}' > settings.json`,
    check: `python3 -c 'import json; assert json.load(open("settings.json")) == {"name":"demo","server":{"host":"localhost","port":8080},"debug":False}'`,
    solution: [
      `python3 -c 'import json; d = json.load(open("settings.json")); d["server"]["port"] = 8080; d["debug"] = False; json.dump(d, open("settings.json", "w"))'`,
    ],
  }),
  inFolder({
    id: 'text-encoding',
    area: 'text',
    request: 'letter.txt is in ISO-8859-1. Make letter-utf8.txt, the same text in UTF-8.',
    setup: 'printf "Gr\\374\\337e aus K\\366ln\\n" > letter.txt',
    check: '[ "$(cat letter-utf8.txt)" = "Grüße aus Köln" ]',
    solution: ['iconv -f ISO-8859-1 -t UTF-8 letter.txt > letter-utf8.txt'],
  }),
  inFolder({
    id: 'text-fix-script',
    area: 'text',
    request:
      'sum.py should print the sum of the numbers in numbers.txt, but it fails. Repair it, so that "python3 sum.py" prints the right number. Do not change numbers.txt.',
    setup:
      'printf "3\\n4\\n\\n5\\n" > numbers.txt; printf "total = 0\\nfor line in open(\'numbers.txt\'):\\n    total += int(line)\\nprint(totl)\\n" > sum.py',
    check: '[ "$(python3 sum.py)" = 12 ] && [ "$(wc -l < numbers.txt)" = 4 ]',
    solution: [
      'python3 sum.py; cat sum.py',
      'printf "total = 0\\nfor line in open(\'numbers.txt\'):\\n    if line.strip():\\n        total += int(line)\\nprint(total)\\n" > sum.py',
      'python3 sum.py',
    ],
  }),
]
