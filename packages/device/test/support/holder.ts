import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

/** A server inside the process whose tool `hold` runs until it is let go or cancelled. */
export class Holder {
  readonly begun = Promise.withResolvers<void>()
  readonly #letGo = Promise.withResolvers<string>()
  cancelled = 0
  runs = 0
  quickRuns = 0

  letGo(): void {
    this.#letGo.resolve('held')
  }

  readonly factory = (): McpServer => {
    const server = new McpServer({ name: 'holder', version: '1.0.0' })
    server.registerTool('hold', { inputSchema: z.looseObject({}) }, async (_input, ctx) => {
      this.runs += 1
      this.begun.resolve()
      const cancelled = new Promise<string>((resolve) => {
        ctx.mcpReq.signal.addEventListener('abort', () => {
          this.cancelled += 1
          resolve('cancelled')
        })
      })
      return { content: [{ type: 'text', text: await Promise.race([this.#letGo.promise, cancelled]) }] }
    })
    server.registerTool('quick', {}, () => {
      this.quickRuns += 1
      return { content: [{ type: 'text', text: 'quick' }] }
    })
    return server
  }
}
