import type { EvalTask } from '../eval-task.ts'

/** The pages of the local web site, by their path. */
export const PAGES: Readonly<Record<string, { type: string; body: string }>> = {
  '/': {
    type: 'text/html',
    body: '<html><title>Shop</title><body><a href="/prices">Prices</a> <a href="/contact">Contact</a></body></html>',
  },
  '/prices': {
    type: 'text/html',
    body: '<html><body><table><tr><td>Lamp</td><td>49</td></tr><tr><td>Chair</td><td>120</td></tr><tr><td>Rug</td><td>85</td></tr></table></body></html>',
  },
  '/contact': { type: 'text/html', body: '<html><body>Write to <b>hello@shop.example</b></body></html>' },
  '/api/status': {
    type: 'application/json',
    body: '{"services": [{"name": "db", "up": true}, {"name": "mail", "up": false}, {"name": "web", "up": true}]}',
  },
}

/** A local web page. */
export const webTasks: EvalTask[] = [
  {
    id: 'web-price',
    area: 'web',
    request: ({ web }) => `The web site at ${web}/ tells the prices of a shop. What does a chair cost? Answer with the number.`,
    setup: 'true',
    check: 'echo "$RESULT" | grep -q 120',
    solution: ['python3 -c \'import urllib.request; print(urllib.request.urlopen("WEB_URL/prices").read().decode())\''],
    answer: 'A chair costs 120',
  },
  {
    id: 'web-json',
    area: 'web',
    request: ({ web, dir }) =>
      `${web}/api/status tells the state of services as JSON. Write the names of those that are not up into ${dir}/down.txt, one a line.`,
    setup: 'true',
    check: '[ "$(cat down.txt)" = mail ]',
    solution: [
      'python3 -c \'import json, urllib.request; print("\\n".join(s["name"] for s in json.load(urllib.request.urlopen("WEB_URL/api/status"))["services"] if not s["up"]))\' > down.txt',
    ],
  },
  {
    id: 'web-save',
    area: 'web',
    request: ({ web, dir }) =>
      `Save the page ${web}/contact as ${dir}/contact.html, and write the address of e-mail on it into ${dir}/email.txt.`,
    setup: 'true',
    check: 'grep -q "Write to" contact.html && [ "$(cat email.txt)" = hello@shop.example ]',
    solution: [
      'python3 -c \'import urllib.request; open("contact.html", "wb").write(urllib.request.urlopen("WEB_URL/contact").read())\'',
      'grep -o "[a-z]*@[a-z.]*" contact.html > email.txt',
    ],
  },
]
