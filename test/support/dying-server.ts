// A server whose agent runs one tool and, when told to die, kills this process the moment it is given the results:
// `node dying-server.ts FOLDER live|die`.
import { startServer, type Agent } from '@orrery/server'

const [dataDir = '', fate] = process.argv.slice(2)

const agent: Agent = {
  name: 'dying',
  accepts: (work) => work.kind === 'words',
  async run(context) {
    const [result] = await context.execute([{ tool_name: 'tool', tool_type: 'action', parameters: {} }])
    if (fate === 'die') process.kill(process.pid, 'SIGKILL')
    return { status: 'completed', result: { status: result?.status, result: result?.result } }
  },
}

const server = await startServer({ port: 0, operatorKey: 'operator-key', deviceKey: 'device-key', dataDir, agents: [agent] })
console.log(server.url)
