export type { Agent, AgentContext, AgentOutcome } from './agents/agent.js'
export { startServer, type OrreryServer, type ServerOptions } from './server.js'
export type { ExecuteOptions } from './sessions/command-dispatcher.js'
export type { Work } from './sessions/task.js'
