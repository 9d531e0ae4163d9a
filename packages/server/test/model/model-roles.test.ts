import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Json } from '../../../../test/support/wire-client.js'
import { startModelRig, tool } from '../support/model-rig.js'

const look = (name: string): Json => tool(name, { tool_key: `data_collection::${name}`, tool_type: 'data_collection' })
const SHOT = 'data:image/png;base64,aGk='

/** The tools of an existing Windows device, which depend on the agent that asks. */
function windowsTools(agent: string, type: string): Json[] {
  if (type === 'data_collection')
    return agent === 'AppAgent'
      ? ['capture_window_screenshot', 'get_app_window_controls_target_info', 'get_ui_tree'].map(look)
      : ['capture_desktop_screenshot', 'get_desktop_app_target_info'].map(look)
  return agent === 'AppAgent'
    ? [tool('click_input'), tool('set_edit_text')]
    : [tool('select_application_window'), tool('run_shell')]
}

describe('on Windows', () => {
  it('HostAgent selects an application and hands over to AppAgent, whose tools are those of the application, and back', async () => {
    await using rig = await startModelRig({
      platform: 'windows',
      tools: windowsTools,
      answers: {
        get_desktop_app_target_info: () => [{ id: '1', name: 'Notes - Notepad', kind: 'window' }],
        capture_desktop_screenshot: () => SHOT,
        capture_window_screenshot: () => SHOT,
        get_app_window_controls_target_info: () => [{ id: '7', name: 'Edit' }],
        select_application_window: () => ({ root_name: 'notepad.exe', window_info: { title: 'Notes - Notepad' } }),
      },
      script: [
        { calls: [{ tool: 'select_application_window', input: { id: '1', name: 'Notes - Notepad' } }] },
        { calls: [{ tool: 'set_edit_text', input: { id: '7', name: 'Edit', text: 'hi' } }] },
        { calls: [{ tool: 'return_to_host', input: { summary: 'typed hi' } }] },
        { calls: [{ tool: 'finish', input: { status: 'completed', result: 'typed' } }] },
      ],
    })
    expect(await rig.run('Type hi into Notepad')).toMatchObject({ status: 'completed', result: 'typed' })
    const host = { agent: 'HostAgent', process: '', root: '' }
    const app = { agent: 'AppAgent', process: 'Notes - Notepad', root: 'notepad.exe' }
    const desktop = ['get_desktop_app_target_info', 'capture_desktop_screenshot']
    const window = ['get_app_window_controls_target_info', 'capture_window_screenshot']
    expect(rig.received.map(({ tools, ...where }) => ({ ...where, tools: tools.map(({ name }) => name) }))).toEqual([
      { ...host, tools: desktop },
      { ...host, tools: ['select_application_window'] },
      { ...app, tools: window },
      { ...app, tools: ['set_edit_text'] },
      { ...app, tools: window },
      { ...host, tools: desktop },
    ])
    const [first, second, , last] = rig.model.requests
    expect(first?.tools).toEqual(['finish', 'ask_user', 'run_shell', 'select_application_window'])
    expect(first?.text).toMatch(
      /You are HostAgent[\s\S]*The device shows \(get_desktop_app_target_info, success\)[\s\S]*Notes - Notepad/,
    )
    expect(second?.tools).toEqual(['finish', 'ask_user', 'return_to_host', 'click_input', 'set_edit_text'])
    expect(second?.text).toMatch(/You are AppAgent[\s\S]*<data \w+>[^<]*"process":"Notes - Notepad","root":"notepad.exe"/)
    expect(last?.tools).toEqual(first?.tools)
    // Only how it looks now is shown.
    expect(JSON.stringify(last?.body).match(/data:image/g)).toHaveLength(1)
  })

  it('works without screenshots for a model that takes no images', async () => {
    await using rig = await startModelRig({
      platform: 'windows',
      tools: windowsTools,
      config: { images: false },
      script: [{ text: 'done' }],
    })
    await rig.run('look')
    expect(rig.received[0]?.tools.map(({ name }) => name)).toEqual(['get_desktop_app_target_info'])
  })
})

describe('on a phone', () => {
  it.each(['mobile', 'android'])('MobileAgent looks at the screen before each turn (%s)', async (platform) => {
    await using rig = await startModelRig({
      platform,
      tools: (_agent, type) =>
        type === 'action'
          ? [tool('tap')]
          : ['capture_screenshot', 'get_mobile_app_target_info', 'get_app_window_controls_target_info'].map(look),
      answers: { capture_screenshot: () => SHOT, get_mobile_app_target_info: () => [{ name: 'org.example.mail' }] },
      script: [{ calls: [{ tool: 'tap', input: { x: 1, y: 2 } }] }, { text: 'tapped' }],
    })
    expect(await rig.run('Open the mail')).toMatchObject({ status: 'completed', result: 'tapped' })
    expect(rig.received.map(({ agent, tools }) => [agent, tools.length])).toEqual([
      ['MobileAgent', 3],
      ['MobileAgent', 1],
      ['MobileAgent', 3],
    ])
    expect(rig.model.requests[0]?.text).toMatch(/You are MobileAgent[\s\S]*org.example.mail[\s\S]*\[image\]/)
  })
})

describe('on Linux', () => {
  it('an existing device is driven in words: nothing is looked at, and its key is the server’s to add', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'orrery-devices-'))
    const devicesFile = join(folder, 'devices.yaml')
    writeFileSync(devicesFile, 'devices: { d1: { tool_arguments: { execute_command: { api_key: device-secret } } } }')
    const schema = {
      type: 'object',
      properties: { command: { type: 'string' }, api_key: { type: 'string' } },
      required: ['command', 'api_key'],
    }
    try {
      await using rig = await startModelRig({
        tools: [tool('execute_command', { input_schema: schema }), tool('get_system_info')],
        answers: { execute_command: () => ({ success: true, exit_code: 0, stdout: 'up 3 days', stderr: '' }) },
        script: [{ calls: [{ tool: 'execute_command', input: { command: 'uptime' } }] }, { text: '3 days' }],
        server: { devicesFile },
      })
      const session = await rig.run('How long is it up?')
      expect(session).toMatchObject({ status: 'completed', result: '3 days' })
      expect(rig.received).toMatchObject([
        { agent: 'LinuxAgent', process: '', root: '', tools: [{ parameters: { command: 'uptime', api_key: 'device-secret' } }] },
      ])
      const asked = JSON.stringify(rig.model.requests.map(({ body }) => body))
      expect(asked).toContain('up 3 days')
      expect(asked).not.toContain('api_key')
      expect(JSON.stringify(await rig.server.events(String(session['session_id'])))).not.toContain('device-secret')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
