// The tool of the fault tests: a small MCP server over stdio whose calls leave lines in a ledger. It says of itself neither that it is
// read-only nor that it may be repeated. What it has begun it ends, even when its device is gone.
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'

const ledger = openSync(process.argv[2] ?? '', 'a')
let running = 0
let ended = false

const TOOL = {
  name: 'mark',
  description: 'Leaves a line in the ledger',
  inputSchema: { type: 'object', properties: {} },
}

function write(kind, { task, call }) {
  writeSync(ledger, `${kind} ${task} ${call}\n`)
}

async function mark(parameters) {
  const wait = (name) => new Promise((resolve) => setTimeout(resolve, Number(parameters[name] ?? 0)))
  running += 1
  write('begin', parameters)
  await wait('before_ms')
  write('effect', parameters)
  fsyncSync(ledger)
  await wait('after_ms')
  write('end', parameters)
  running -= 1
  const text = `${parameters.task} ${parameters.call} ${parameters.nonce}`
  return { content: [{ type: 'text', text: text + ' '.repeat(Number(parameters.pad ?? 0)) }] }
}

async function answer({ method, params }) {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'ledger', version: '1.0.0' },
      }
    case 'tools/list':
      return { tools: [TOOL] }
    case 'tools/call':
      return mark(params.arguments ?? {})
    case 'ping':
      return {}
    default:
      return null
  }
}

async function take(message) {
  if (message.id === undefined) return
  const result = await answer(message)
  const reply = result === null ? { error: { code: -32601, message: 'Method not found' } } : { result }
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: message.id, ...reply })}\n`)
  leaveWhenDone()
}

function leaveWhenDone() {
  if (!ended || running > 0) return
  closeSync(ledger)
  process.exit(0)
}

// Its device may be gone.
process.stdout.on('error', () => {})
createInterface({ input: process.stdin })
  .on('line', (line) => void take(JSON.parse(line)))
  .on('close', () => {
    ended = true
    leaveWhenDone()
  })
