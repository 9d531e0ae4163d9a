import { TO_CLIENT, TO_SERVER } from '@orrery/aip'
import { DeviceConfig } from '@orrery/device'
import { WorkflowFile } from '@orrery/graph'
import { ServerConfig } from '@orrery/server'
import { z } from 'zod'

/** The JSON Schema files by their path under docs. */
export function schemaFiles(): Map<string, string> {
  const files = new Map<string, string>()
  const add = (name: string, title: string, schema: z.ZodType): void => {
    const json = { title, ...z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) }
    files.set(`schema/${name}.schema.json`, `${JSON.stringify(json, null, 2)}\n`)
  }
  for (const record of [...TO_SERVER, ...TO_CLIENT]) add(record.name, record.doc, record.schema)
  add('workflow', 'A workflow of Orrery', WorkflowFile)
  add('server', 'The configuration of an Orrery server (orrery server --config)', ServerConfig)
  add('device', 'The configuration of an Orrery device (device.jsonc)', DeviceConfig)
  return files
}
