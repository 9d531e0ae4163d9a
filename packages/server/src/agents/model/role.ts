import type { Command, Result } from '@orrery/aip'
import { z } from 'zod'
import type { ExecuteOptions } from '../agent.js'
import { renderPrompt } from './prompts.js'

/** The agent that the model works as: it decides the tools that a device offers, and what is looked at before each turn. */
export interface Role {
  /** The options of its commands. */
  options: Required<Pick<ExecuteOptions, 'agentName' | 'processName' | 'rootName'>>
  /** Its part of the system prompt. */
  prompt: string
  /** The application that it works in, in the words of the device. */
  application: { process: string; root: string } | null
  /** What to look at before each turn, if the device has these tools; images last, because a failure skips the rest. */
  looks: readonly Look[]
  inApplication: boolean
}

/** A data collection tool of existing devices. */
interface Look extends Pick<Command, 'tool_name' | 'parameters'> {
  gives: 'text' | 'image'
}

const text = (tool_name: string, parameters: Record<string, unknown> = {}): Look => ({ tool_name, parameters, gives: 'text' })
const image = (tool_name: string, parameters: Record<string, unknown> = {}): Look => ({ tool_name, parameters, gives: 'image' })

const CONTROL_FIELDS = ['label', 'control_text', 'control_type', 'control_rect']

/** Returns the first role of a session, by the agent name of its device's platform. */
export function firstRole(agentName: string): Role {
  const options = { agentName, processName: '', rootName: '' }
  switch (agentName) {
    case 'HostAgent':
      return {
        options,
        prompt: renderPrompt('host', {}),
        looks: [text('get_desktop_app_target_info'), image('capture_desktop_screenshot', { all_screens: true })],
        inApplication: false,
        application: null,
      }
    case 'MobileAgent':
      return {
        options,
        prompt: renderPrompt('mobile', {}),
        looks: [text('get_mobile_app_target_info'), text('get_app_window_controls_target_info'), image('capture_screenshot')],
        inApplication: false,
        application: null,
      }
    default:
      return { options, prompt: renderPrompt('linux', {}), looks: [], inApplication: false, application: null }
  }
}

const Selected = z.object({
  root_name: z.string().min(1),
  window_info: z.looseObject({ title: z.string().optional() }).nullish(),
})

/** Returns the role in the application that a call has selected; null if it selected none. */
export function selectedRole(command: Pick<Command, 'tool_name' | 'parameters'>, result: Result): Role | null {
  if (command.tool_name !== 'select_application_window' || result.status !== 'success') return null
  const selected = Selected.safeParse(result.result)
  if (!selected.success) return null
  const { root_name: rootName, window_info: window } = selected.data
  const named = command.parameters?.['name']
  const processName = typeof named === 'string' && named !== '' ? named : (window?.title ?? rootName)
  return {
    options: { agentName: 'AppAgent', processName, rootName },
    prompt: renderPrompt('app', {}),
    application: { process: processName, root: rootName },
    looks: [text('get_app_window_controls_target_info', { field_list: CONTROL_FIELDS }), image('capture_window_screenshot')],
    inApplication: true,
  }
}
