import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditEntry } from '@orrery/device'
import { Command, InvalidArgumentError } from 'commander'
import { examples } from '../terminal/help.js'
import { inHome } from '../settings/home.js'
import { describeCommand } from '../follow/event-data.js'
import { CliError } from '../terminal/errors.js'
import { duration } from '../terminal/format.js'
import { paint } from '../terminal/painted.js'
import { table } from '../terminal/table.js'
import { note, print, printJsonLine } from '../terminal/write.js'

interface Options {
  device?: string
  limit: number
  json?: boolean
}

/** `orrery audit`: what ran on this machine. */
export function auditCommand(): Command {
  return new Command('audit')
    .summary('what ran on this machine, and what decided about it')
    .description(
      'Shows the audit of the devices of this machine: each call of a tool, what decided about it, and what became of it. The files are ' +
        'devices/ID/audit.jsonl in ORRERY_HOME.',
    )
    .option('-d, --device <id>', 'only this device')
    .option('--limit <n>', 'at most this many, the newest', parseLimit, 50)
    .option('--json', 'print the entries as JSON Lines, for programs')
    .addHelpText(
      'after',
      examples([
        ['orrery audit', 'the last 50 calls'],
        [`orrery audit --limit 1000 --json | jq 'select(.decision == "deny")'`, 'what was denied'],
      ]),
    )
    .action(audit)
}

async function audit({ device, limit, json }: Options): Promise<void> {
  const { readAudit } = await import('@orrery/device')
  const folder = inHome('devices')
  const known = existsSync(folder) ? readdirSync(folder) : []
  if (device !== undefined && !known.includes(device))
    throw new CliError(
      `No device '${device}' has run on this machine${known.length === 0 ? '' : `; there are: ${known.join(', ')}`}`,
    )
  const devices = device === undefined ? known : [device]
  const entriesOf = async (id: string) =>
    (await readAudit(join(folder, id, 'audit.jsonl'))).map((entry) => Object.assign(entry, { device: id }))
  const entries = (await Promise.all(devices.map(entriesOf)))
    .flat()
    .sort((a, b) => a.time.localeCompare(b.time))
    .slice(-limit)
  if (json) return entries.forEach(printJsonLine)
  if (entries.length === 0) return print('Nothing has run on the devices of this machine yet.')
  const rows = entries.map((entry) => [
    entry.time.replace('T', ' ').slice(0, 19),
    entry.device,
    { text: entry.tool, style: 'bold' as const },
    { text: entry.decision, style: entry.decision === 'allow' ? ('green' as const) : ('red' as const) },
    `${entry.rule}${entry.by === 'policy' ? '' : ` (${entry.by})`}`,
    entry.outcome,
    duration(entry.duration_ms),
    whatRan(entry),
  ])
  const headers = ['TIME (UTC)', 'DEVICE', 'TOOL', 'DECISION', 'RULE', 'OUTCOME', 'TOOK', 'WITH']
  for (const line of table(headers, rows, [7, 4, 2])) print(line)
  if (process.stdout.isTTY && entries.some((entry) => entry.arguments === undefined))
    note(paint('dim', `\nTo record what calls run with, set "audit": { "contents": true } in device.jsonc`))
}

/** What a call ran with, where the owner has it recorded; else the program and the beginning of the hash, by which equal calls are known. */
function whatRan({ tool, program, arguments: args, arguments_hash: hash }: AuditEntry): string {
  if (args === undefined) return `${program === undefined || program === null ? '' : `${program} `}#${hash.slice(0, 8)}`
  return describeCommand({ tool_name: '', parameters: args, call_id: tool }).trim()
}

function parseLimit(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1) return value
  throw new InvalidArgumentError('It must be a whole number from 1.')
}
