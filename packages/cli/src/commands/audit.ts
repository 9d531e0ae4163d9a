import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { examples } from '../terminal/help.js'
import { inHome } from '../settings/home.js'
import { table } from '../terminal/table.js'
import { print, printJsonLine } from '../terminal/write.js'

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
    .option('--device <id>', 'only this device')
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
  const devices = device === undefined ? (existsSync(folder) ? readdirSync(folder) : []) : [device]
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
    `${entry.duration_ms} ms`,
    entry.arguments_hash.slice(0, 8),
  ])
  const headers = ['TIME (UTC)', 'DEVICE', 'TOOL', 'DECISION', 'RULE', 'OUTCOME', 'TOOK', 'ARGUMENTS']
  for (const line of table(headers, rows, [4, 2])) print(line)
}

function parseLimit(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1) return value
  throw new InvalidArgumentError('It must be a whole number from 1.')
}
