import { wireTime } from '../clock.js'
import {
  answer as answerMessage,
  cancel,
  command,
  resultsAck,
  openTerminal,
  sessionProgress,
  taskAssignment,
  taskEnd,
} from '../messages/to-client.js'
import { ask as askMessage, clientTaskEnd, commandResults, progress, taskRequest } from '../messages/to-server.js'
import type { ClientType, Command, Result, TaskStatus } from '../messages/values.js'
import type { TerminalWanted } from '../terminal-frames.js'
import { ProtocolPart } from './aip-protocol.js'

/** Tasks, their commands, and their ends. */
export class TaskExecutionProtocol extends ProtocolPart {
  /** Asks for a task. Without `targetId` a device asks for itself. */
  sendTaskRequest(task: {
    request: string
    taskName: string
    sessionId: string | null
    clientId: string
    clientType?: ClientType
    targetId?: string | null
    metadata?: Record<string, unknown> | null
    requestId?: string
  }): Promise<void> {
    return this.aip.sendMessage(taskRequest, {
      request: task.request,
      task_name: task.taskName,
      session_id: task.sessionId,
      client_id: task.clientId,
      client_type: task.clientType ?? 'device',
      target_id: task.targetId ?? null,
      metadata: task.metadata ?? null,
      request_id: task.requestId ?? crypto.randomUUID(),
    })
  }

  /** Answers a command. @param results one per action, in the same order */
  sendTaskResult(answer: {
    sessionId: string | null
    prevResponseId: string | null
    actionResults: Result[]
    status: TaskStatus
    clientId: string
  }): Promise<void> {
    return this.aip.sendMessage(commandResults, {
      status: answer.status,
      session_id: answer.sessionId,
      client_id: answer.clientId,
      action_results: answer.actionResults,
      prev_response_id: answer.prevResponseId,
      request_id: crypto.randomUUID(),
    })
  }

  /** Asks a device to start a task that came in through the HTTP API. */
  sendTaskAssignment(task: { userRequest: string; taskName: string; sessionId: string }): Promise<void> {
    return this.aip.sendMessage(taskAssignment, {
      user_request: task.userRequest,
      task_name: task.taskName,
      session_id: task.sessionId,
    })
  }

  /**
   * Sends a batch.
   * @param batch `responseId` is returned with the results; `concurrent` only for a device with that feature
   */
  sendCommands(batch: {
    actions: Command[]
    sessionId: string
    taskName: string
    responseId: string
    agentName: string
    processName?: string
    rootName?: string
    concurrent?: boolean
    /** Who asked for what, for the owner of the device to see. */
    asker?: { by: string; request: string } | undefined
  }): Promise<void> {
    const { asker } = batch
    return this.aip.sendMessage(command, {
      agent_name: batch.agentName,
      process_name: batch.processName ?? '',
      root_name: batch.rootName ?? '',
      actions: batch.actions,
      session_id: batch.sessionId,
      task_name: batch.taskName,
      response_id: batch.responseId,
      ...(batch.concurrent === true ? { concurrent: true } : {}),
      ...(asker === undefined ? {} : { requested_by: asker.by, user_request: asker.request }),
    })
  }

  /** Reports that a session has ended. */
  sendTaskEnd(end: {
    sessionId: string
    status: 'completed' | 'failed'
    result?: unknown
    error?: string | null
    responseId: string
  }): Promise<void> {
    return this.aip.sendMessage(taskEnd, {
      status: end.status,
      session_id: end.sessionId,
      result: end.result ?? null,
      error: end.error ?? null,
      response_id: end.responseId,
    })
  }

  /** Reports to a constellation with the feature `progress` that a session is paused, or runs again. @param error why it is paused */
  sendSessionState(session: { sessionId: string; state: 'paused' | 'running'; error: string | null }): Promise<void> {
    return this.aip.sendMessage(sessionProgress, {
      status: 'continue',
      session_id: session.sessionId,
      state: session.state,
      error: session.error,
    })
  }

  /** Acknowledges a task_end. */
  sendTaskEndAck(end: { sessionId: string; clientId: string; clientType?: ClientType; status: TaskStatus }): Promise<void> {
    return this.aip.sendMessage(clientTaskEnd, {
      session_id: end.sessionId,
      client_id: end.clientId,
      client_type: end.clientType ?? 'device',
      status: end.status,
    })
  }

  /** Ends running commands of a device with the feature `cancel`. */
  sendCancel(target: { sessionId: string; responseId?: string; callId?: string; reason: string }): Promise<void> {
    return this.aip.sendMessage(cancel, {
      session_id: target.sessionId,
      response_id: target.responseId ?? null,
      call_id: target.callId ?? null,
      reason: target.reason,
    })
  }

  /** Acknowledges to a device with the feature `journal` that its results are recorded. */
  sendResultsAck(responseId: string): Promise<void> {
    return this.aip.sendMessage(resultsAck, { response_id: responseId })
  }

  /** Reports the progress of a command to a server with the feature `progress`. */
  sendProgress(report: {
    sessionId: string
    callId: string
    progress: number
    total?: number
    message?: string
    clientId: string
  }): Promise<void> {
    return this.aip.sendMessage(progress, {
      session_id: report.sessionId,
      client_id: report.clientId,
      call_id: report.callId,
      progress: report.progress,
      total: report.total ?? null,
      message: report.message ?? null,
    })
  }

  /** Asks, through a server that offered `ask`, whether exactly this call may run. @param ask `expiresAt` in milliseconds since the epoch */
  sendAsk(ask: {
    askId: string
    sessionId: string | null
    callId: string
    tool: string
    argumentsHash: string
    summary: string
    digest: string
    expiresAt: number
    clientId: string
  }): Promise<void> {
    return this.aip.sendMessage(askMessage, {
      ask_id: ask.askId,
      session_id: ask.sessionId,
      call_id: ask.callId,
      tool: ask.tool,
      arguments_hash: ask.argumentsHash,
      summary: ask.summary,
      digest: ask.digest,
      expires_at: wireTime(ask.expiresAt),
      client_id: ask.clientId,
    })
  }

  /** Answers an ask of a device. */
  sendAnswer(answer: {
    askId: string
    sessionId: string | null
    decision: 'allow' | 'deny'
    by: string
    digest: string | null
  }): Promise<void> {
    return this.aip.sendMessage(answerMessage, {
      ask_id: answer.askId,
      session_id: answer.sessionId,
      decision: answer.decision,
      by: answer.by,
      digest: answer.digest,
    })
  }

  /** Asks a device with the feature `terminal` to dial for an interactive terminal. */
  sendOpenTerminal(terminal: { terminalId: string; requestedBy: string; wanted: TerminalWanted }): Promise<void> {
    const { terminalId, requestedBy, wanted } = terminal
    return this.aip.sendMessage(openTerminal, { terminal_id: terminalId, requested_by: requestedBy, metadata: { ...wanted } })
  }

  sendAck(sessionId?: string, responseId?: string): Promise<void> {
    return this.aip.sendAck(sessionId, responseId)
  }

  sendError(text: string, responseId?: string): Promise<void> {
    return this.aip.sendError(text, responseId)
  }
}
