import { EncodedValue, commandOf, sleep, type Clock, type Logger, type Result } from '@orrery/aip'
import type { AgentContext } from '../agents/agent.js'
import type { CommandDispatcher } from './command-dispatcher.js'
import { offeredTools } from './offered-tools.js'
import { copyStep } from './copy-step.js'
import type { FileCopier } from './file-copier.js'
import type { Questions } from './questions.js'
import type { SessionDevice } from './session-device.js'
import type { SessionSecrets } from './session-secrets.js'
import type { SessionLog } from './session-log.js'
import type { Steps } from './steps.js'
import type { Task } from './task.js'
import { serverError } from '../errors.js'

/** The parts of a session that an agent acts through. */
export interface AgentContextParts {
  task: Task
  log: SessionLog
  device: SessionDevice
  dispatcher: CommandDispatcher
  questions: Questions
  steps: Steps
  secrets: SessionSecrets
  copier: FileCopier | undefined
  remarks: readonly string[]
  clock: Clock
  logger: Logger
  /** Aborted when the session is cancelled. */
  signal: AbortSignal
  /** Aborted when the session is cancelled and its agent cleans up. */
  stopping: AbortSignal
}

/** A session as its agent sees it. */
export function agentContext(parts: AgentContextParts): AgentContext {
  const { task, log, device, dispatcher, questions, steps, secrets, remarks, clock, logger, signal, stopping } = parts
  const execute: AgentContext['execute'] = async (commands, options) => {
    const results = await dispatcher.executeCommands(commands.map(commandOf), options)
    return options?.encoded === true ? results : results.map(withPlainValue)
  }
  return {
    sessionId: task.sessionId,
    taskName: task.taskName,
    deviceId: task.deviceId,
    platform: device.platform,
    work: task.work,
    agentName: device.agentName,
    signal,
    stopping,
    logger,
    secrets: secrets.placeholders,
    execute,
    startedAt: Date.parse(log.view.started_at ?? log.view.created_at),
    remarks: () => remarks,
    report: (message) => log.report({ call_id: null, tool: null, progress: null, total: null, message }),
    ask: (question, ms) => questions.ask(question, ms),
    listTools: async (toolType = 'action', options = {}) => {
      const list = { tool_name: 'list_tools', parameters: { tool_type: toolType }, tool_type: toolType }
      const [result] = await execute([list], options)
      if (result?.status !== 'success')
        throw serverError('AGENT_FAILED', { text: result?.error ?? 'the device did not list its tools' })
      return offeredTools(result.result, (tool) => device.addedArguments(tool))
    },
    copyFile: (copy, label) => copyStep(parts, copy, label),
    step: (name, decide) => steps.take(name, decide),
    sleep: async (ms) => {
      await sleep(clock, ms, AbortSignal.any([signal, stopping]))
      signal.throwIfAborted()
    },
  }
}

function withPlainValue(result: Result): Result {
  return result.result instanceof EncodedValue ? { ...result, result: result.result.toJSON() } : result
}
