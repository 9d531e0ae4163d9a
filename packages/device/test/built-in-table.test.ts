import { systemClock } from '@orrery/aip'
import { Client } from '@modelcontextprotocol/client'
import { InMemoryTransport } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { BUILT_IN_NAMES, Roots } from '../src/index.js'
import { Permits } from '../src/policy/permits.js'
import { BUILT_IN_SERVERS, BUILT_IN_TOOLS } from '../src/tools/built-in-servers.js'
import { NO_TRANSFERS } from '../src/transfers/transfer-dialer.js'

const cwd = process.cwd()
const roots = new Roots({ cwd })

describe('the servers that come with a device', () => {
  it.each(BUILT_IN_NAMES.flatMap((name) => (['strict', 'full'] as const).map((shell) => [name, shell] as const)))(
    '%s (shell %s) offers exactly the tools that the policy knows, and says of them what the policy assumes',
    async (name, shell) => {
      const context = {
        shell,
        clock: systemClock,
        env: {},
        cwd,
        roots,
        permits: new Permits(),
        dataDir: cwd,
        transfers: NO_TRANSFERS,
      }
      const server = await BUILT_IN_SERVERS[name].create(context)
      const client = new Client({ name: 'test', version: '1' })
      const [near, far] = InMemoryTransport.createLinkedPair()
      await Promise.all([server.connect(far), client.connect(near)])
      const { tools } = await client.listTools()
      const offered = tools.map((tool) => ({ name: tool.name, readOnly: tool.annotations?.readOnlyHint }))
      await client.close()
      expect(offered).toEqual(BUILT_IN_SERVERS[name].tools(shell).map(({ name: tool, readOnly }) => ({ name: tool, readOnly })))
      for (const tool of tools) {
        expect(BUILT_IN_TOOLS.find(tool.name, shell)?.server).toBe(name)
        // Whatever the arguments, it is known what a call would touch.
        expect(BUILT_IN_TOOLS.describeCall(name, tool.name, {}, { roots, shell, cwd })).not.toBeNull()
      }
    },
  )
})
