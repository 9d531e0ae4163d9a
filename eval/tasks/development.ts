import { inFolder } from '../eval-task.ts'

const REPO = 'git init -q -b main .; git config user.name Eval; git config user.email eval@example.com'

/** Git and databases. */
export const developmentTasks = [
  inFolder({
    id: 'git-commit',
    area: 'git',
    request:
      'This is a git repository. Commit all changes, new files too, except those that end in .log, with the message "Add parser".',
    setup: `${REPO}; echo a > a.txt; git add .; git commit -qm first; echo b >> a.txt; echo p > parser.py; echo x > debug.log`,
    check:
      '[ "$(git log -1 --format=%s)" = "Add parser" ] && [ "$(git show --name-only --format= HEAD | sort | grep -v gitignore | tr "\\n" " ")" = "a.txt parser.py " ]',
    solution: ['git status --short', 'git add a.txt parser.py && git commit -qm "Add parser"'],
  }),
  inFolder({
    id: 'git-find-commit',
    area: 'git',
    request:
      'Some commit of this git repository removed the word SECRET_FEATURE from code.txt. Write the whole hash of that commit into answer.txt; do not commit anything.',
    setup: `${REPO}; for i in 1 2 3 4 5 6; do { [ $i -lt 4 ] && echo SECRET_FEATURE; echo line $i; } > code.txt; git add .; git commit -qm "change $i"; done`,
    check:
      'grep -qx "$(git log --format="%H %s" | grep "change 4" | cut -d" " -f1)" answer.txt && [ "$(git rev-list --count HEAD)" = 6 ]',
    solution: ['git log -S SECRET_FEATURE --format=%H -- code.txt | head -1 > answer.txt'],
  }),
  inFolder({
    id: 'git-branch-merge',
    area: 'git',
    request:
      'This git repository has the branches main and feature. Merge feature into main; where both changed the same line, take that of feature. Be on main afterwards, with nothing left to commit.',
    setup: `${REPO}; echo base > f.txt; git add .; git commit -qm base; git checkout -qb feature; echo feature > f.txt; echo n > n.txt; git add .; git commit -qm feature; git checkout -q main; echo main > f.txt; git commit -qam main`,
    check:
      '[ "$(git branch --show-current)" = main ] && grep -qx feature f.txt && [ -e n.txt ] && [ -z "$(git status --porcelain)" ] && git merge-base --is-ancestor feature main',
    solution: ['git merge -q -X theirs -m "Merge feature" feature'],
  }),
  inFolder({
    id: 'git-undo',
    area: 'git',
    request:
      'In this git repository the file notes.txt was deleted, and that was committed. Bring it back as it was, and commit that with the message "Restore notes".',
    setup: `${REPO}; echo important > notes.txt; git add .; git commit -qm notes; git rm -q notes.txt; git commit -qm cleanup; echo other > o.txt; git add .; git commit -qm other`,
    check:
      'grep -qx important notes.txt && [ "$(git log -1 --format=%s)" = "Restore notes" ] && [ -z "$(git status --porcelain)" ]',
    solution: ['git checkout "$(git rev-list -n 1 HEAD -- notes.txt)^" -- notes.txt', 'git commit -qm "Restore notes"'],
  }),
  inFolder({
    id: 'database-query',
    area: 'database',
    request: 'shop.db is an SQLite file. Which customer has spent most in all? Answer with the name and the sum.',
    setup: `python3 -c '
import sqlite3
db = sqlite3.connect("shop.db")
db.executescript("""create table customers(id integer primary key, name text); create table orders(customer_id integer, amount integer);
insert into customers values (1,"Ada"),(2,"Grace"),(3,"Alan");
insert into orders values (1,50),(2,70),(1,40),(3,80),(1,5);""")'`,
    check: 'echo "$RESULT" | grep -qi ada && echo "$RESULT" | grep -q 95',
    solution: [
      `python3 -c 'import sqlite3; print(sqlite3.connect("shop.db").execute("select name, sum(amount) s from orders join customers on id = customer_id group by id order by s desc").fetchall())'`,
    ],
    answer: 'Ada has spent most: 95',
  }),
  inFolder({
    id: 'database-change',
    area: 'database',
    request:
      'stock.db is an SQLite file with a table items(name, count). Delete all items whose count is 0, and add an item "lamp" with count 12.',
    setup: `python3 -c '
import sqlite3
db = sqlite3.connect("stock.db")
db.executescript("create table items(name text, count integer); insert into items values (\\"chair\\",3),(\\"table\\",0),(\\"shelf\\",0);")'`,
    check: `python3 -c 'import sqlite3; assert sorted(sqlite3.connect("stock.db").execute("select name, count from items")) == [("chair", 3), ("lamp", 12)]'`,
    solution: [
      `python3 -c 'import sqlite3; db = sqlite3.connect("stock.db"); db.execute("delete from items where count = 0"); db.execute("insert into items values (?, ?)", ("lamp", 12)); db.commit()'`,
    ],
  }),
  inFolder({
    id: 'database-import',
    area: 'database',
    request:
      'Make an SQLite file people.db with a table people(name text, age integer) that has the rows of people.csv, whose first line is a header.',
    setup: 'printf "name,age\\nAda,36\\nAlan,41\\n" > people.csv',
    check: `python3 -c 'import sqlite3; assert sorted(sqlite3.connect("people.db").execute("select name, age from people")) == [("Ada", 36), ("Alan", 41)]'`,
    solution: [
      `python3 -c 'import csv, sqlite3; db = sqlite3.connect("people.db"); db.execute("create table people(name text, age integer)"); db.executemany("insert into people values (:name, :age)", csv.DictReader(open("people.csv"))); db.commit()'`,
    ],
  }),
]
