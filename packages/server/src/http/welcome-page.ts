import type { FastifyInstance } from 'fastify'

/** What a browser shows at the address of a server: it holds no device, version or address, because it needs no key. */
const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Orrery</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto; padding: 0 1.5rem }
  code { font-family: ui-monospace, monospace; background: color-mix(in srgb, currentColor 10%, transparent); padding: .1em .35em; border-radius: .25em }
</style>
<h1>This is an Orrery server</h1>
<p>It runs agent tasks on many machines. Devices connect to it, and it runs on them what their owners allow.</p>
<p>Work with it on the command line, on the machine where it runs:</p>
<ul>
  <li><code>orrery devices</code> shows what is connected</li>
  <li><code>orrery exec DEVICE -- uptime</code> runs a program on a device</li>
  <li><code>orrery run "How full are the disks?"</code> gives a task to a model</li>
</ul>
<p>From a checkout it is <code>./orrery …</code>. Programs use the HTTP API: <code>/api/openapi.json</code> describes it, and every request needs a key.</p>
</html>
`

const HEADERS = {
  'cache-control': 'no-cache',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** Serves the page at `/`. */
export function registerWelcomePage(app: FastifyInstance): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/',
    schema: { hide: true },
    handler: (_request, reply) => reply.headers(HEADERS).type('text/html; charset=utf-8').send(PAGE),
  })
}
