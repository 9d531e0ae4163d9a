import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemPrograms } from '../../../test/support/system-programs.js'
import { DeviceConfig } from '../src/index.js'
import { ALLOW_ALL } from './support/config.js'
import { sessionBus } from './support/session-bus.js'
import { temporaryFolders } from './support/temporary.js'
import { toolCaller, type ToolCaller } from './support/tool-caller.js'
import { virtualScreen } from './support/virtual-screen.js'

const folder = temporaryFolders()
const ready =
  process.platform === 'linux' &&
  systemPrograms({
    Xvfb: 'xvfb',
    xdotool: 'xdotool',
    zenity: 'zenity',
    chromium: 'chromium',
    'dbus-daemon': 'dbus-daemon',
    // It is not on the PATH.
    '../libexec/at-spi-bus-launcher': 'at-spi2-core',
  })

interface Target {
  kind: string
  id: string
  name: string
  type: string
  rect: [number, number, number, number]
}

/** A screen with a session bus, and a device for it. */
async function desktop() {
  const home = folder()
  const cwd = join(home, 'work')
  mkdirSync(cwd)
  const screen = await virtualScreen('1200x800')
  const env = { ...process.env, HOME: home, DISPLAY: screen.display, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' }
  const bus = await sessionBus(env)
  const withBus = { ...env, DBUS_SESSION_BUS_ADDRESS: bus.address, XDG_RUNTIME_DIR: undefined }
  const tools = await toolCaller({ cwd, env: withBus, config: DeviceConfig.parse({ shell: 'full', policy: ALLOW_ALL }) })
  return {
    home,
    cwd,
    tools,
    start: (program: string, args: string[]) =>
      tools.value('start_job', { program, args, env: { DBUS_SESSION_BUS_ADDRESS: bus.address } }),
    async [Symbol.asyncDispose]() {
      await tools[Symbol.asyncDispose]()
      await bus[Symbol.asyncDispose]()
      await screen[Symbol.asyncDispose]()
    },
  }
}

/** A program of GTK that asks for a name and an address, and prints them. */
const FORM = ['--forms', '--title=target', '--text=Who are you?', '--add-entry=Name', '--add-entry=Mail']
const TEAM = ['--add-combo=Team', '--combo-values=red|blue']

async function select(tools: ToolCaller): Promise<Target> {
  const find = async (): Promise<Target | undefined> =>
    (await tools.value<Target[]>('get_desktop_app_target_info')).find(({ name }) => name.startsWith('target'))
  await expect.poll(find, { timeout: 40_000 }).toBeDefined()
  const window = (await find())!
  await tools.value('select_application_window', { id: window.id, name: window.name })
  return window
}

/** The controls of the selected window, once there is one of this name: a program joins the accessibility bus after its window is there. */
async function controlsWith(tools: ToolCaller, name: string): Promise<Target[]> {
  const list = async (): Promise<Target[]> => {
    const { result } = await tools.call('get_app_window_controls_target_info', { field_list: [] })
    return Array.isArray(result) ? (result as Target[]) : []
  }
  await expect.poll(async () => (await list()).map((control) => control.name), { timeout: 30_000 }).toContain(name)
  return list()
}

describe.runIf(ready)('the controls of a window', () => {
  it('are listed, read, filled in and clicked, as existing agents do it', { timeout: 120_000 }, async () => {
    await using at = await desktop()
    const { tools } = at
    await at.start('zenity', [...FORM, ...TEAM])
    expect(await tools.error('click_input', { id: '1', name: 'OK' })).toContain('No controls are listed')
    const window = await select(tools)
    expect(window).toMatchObject({ kind: 'window', type: 'Window' })
    const controls = await controlsWith(tools, 'OK')
    const named = (name: string): Target => controls.find((control) => control.name === name)!
    expect(controls.map(({ id }) => id)).toEqual(controls.map((_, index) => String(index + 1)))
    expect(named('OK')).toMatchObject({ kind: 'control', type: 'Button' })
    expect(named('Name')).toMatchObject({ kind: 'control', type: 'Edit' })
    const [left, top, right, bottom] = named('OK').rect
    expect([left >= window.rect[0], top >= window.rect[1], right <= window.rect[2], bottom <= window.rect[3]]).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(
      await tools.value('get_app_window_controls_info', { field_list: ['label', 'control_text', 'class_name'] }),
    ).toContainEqual({
      label: named('OK').id,
      control_text: 'OK',
      class_name: null,
    })
    expect(await tools.value('get_app_window_info', { field_list: ['control_text', 'control_rect'] })).toEqual({
      control_text: 'target',
      control_rect: window.rect,
    })
    expect(JSON.stringify(await tools.value('get_ui_tree'))).toContain('"name":"Who are you?"')

    const { id: field, name } = named('Name')
    await tools.value('set_edit_text', { id: field, name, text: 'nobody' })
    await tools.value('set_edit_text', { id: field, name, text: 'Jürgen', clear_current_text: true })
    await tools.value('set_edit_text', { id: field, name, text: ' 😀 B.' })
    expect(await tools.value('texts', { id: field, name })).toBe('Jürgen 😀 B.')
    expect(await tools.error('set_edit_text', { id: named('OK').id, name: 'OK', text: 'x' })).toContain('takes no text')

    const mail = named('Mail')
    expect(
      await tools.value('keyboard_input', { id: mail.id, name: 'Post', keys: 'x{VK_CONTROL}aone@lab.example{BACKSPACE 2}' }),
    ).toBe(
      `Warning: the control '${mail.id}' is named 'Mail', not 'Post'. Executed action keyboard_input, please check the application for whether it took effect.`,
    )
    await expect.poll(() => tools.value('texts', { id: mail.id, name: 'Mail' }), { timeout: 10_000 }).toBe('one@lab.examp')
    const team = controls.find(({ type }) => type === 'ComboBox')!
    await tools.value('wheel_mouse_input', { id: team.id, name: team.name, wheel_dist: -1 })
    expect(await tools.value('summary', { text: 'filled in' })).toBe('filled in')

    await tools.value('click_input', { id: named('OK').id, name: 'OK' })
    const said = await tools.value<{ content: string }>('read_output', { id: 'job-1', offset: 0, wait_ms: 10_000 })
    expect(said.content).toMatch(/^Jürgen 😀 B\.\|one@lab\.examp\|/)
    expect(await tools.error('click_input', { id: named('OK').id, name: 'OK' })).toContain('There is no')
  })

  it('are those of a page too, in a Chromium that tells them', { timeout: 120_000 }, async () => {
    await using at = await desktop()
    const { tools } = at
    const page = join(at.home, 'page.html')
    writeFileSync(page, '<title>target</title><input aria-label="City" value="Rome">')
    // A listener, before it starts: it looks for one then, and not again.
    await at.start('zenity', FORM)
    await select(tools)
    await controlsWith(tools, 'OK')
    await tools.value('stop_job', { job_id: 'job-1' })
    const flags = ['--no-sandbox', '--no-first-run', '--force-renderer-accessibility', `--user-data-dir=${at.home}/profile`]
    await at.start('chromium', [...flags, `file://${page}`])
    await select(tools)
    const field = (await controlsWith(tools, 'City')).find(({ name }) => name === 'City')!
    const texts = (): Promise<string> => tools.value<string>('texts', { id: field.id, name: 'City' })
    expect(await texts()).toBe('Rome')
    await tools.value('set_edit_text', { id: field.id, name: 'City', text: ' 2' })
    await expect.poll(texts, { timeout: 10_000 }).toBe('Rome 2')
    await tools.value('set_edit_text', { id: field.id, name: 'City', text: 'Oslo', clear_current_text: true })
    await expect.poll(texts, { timeout: 10_000 }).toBe('Oslo')
  })

  it('say what is missing where there is no accessibility bus', { timeout: 60_000 }, async () => {
    await using screen = await virtualScreen('400x300')
    const env = { PATH: process.env['PATH'], DISPLAY: screen.display }
    await using tools = await toolCaller({ env, config: DeviceConfig.parse({ shell: 'full', policy: ALLOW_ALL }) })
    await tools.value('start_job', { program: 'zenity', args: ['--info', '--title=target', '--text=x'] })
    await select(tools)
    expect(await tools.error('get_app_window_controls_target_info')).toContain('DBUS_SESSION_BUS_ADDRESS is not set')
    expect(await tools.error('get_ui_tree')).toContain('at-spi2-core')
  })
})
