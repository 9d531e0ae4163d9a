import { execFileSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemPrograms } from '../../../test/support/system-programs.js'
import { DeviceConfig } from '../src/index.js'
import { DESKTOP_LIMITS } from '../src/tools/desktop/limits.js'
import { ALLOW_ALL } from './support/config.js'
import { temporaryFolders } from './support/temporary.js'
import { toolCaller, type ToolCaller } from './support/tool-caller.js'
import { virtualScreen } from './support/virtual-screen.js'

const folder = temporaryFolders()
const ready =
  process.platform === 'linux' &&
  systemPrograms({ Xvfb: 'xvfb', xterm: 'xterm', xdotool: 'xdotool', import: 'imagemagick', convert: 'imagemagick' })

interface Window {
  id: string
  title: string
  x: number
  y: number
  width: number
  height: number
}
type Content = [{ type: 'image'; mimeType: string; data: string }, { type: 'text'; text: string }]

/** The program of the test: the window turns blue at a click, green at a typed word, black at a key and yellow at the wheel. */
const PROGRAM = String.raw`
printf '\033]2;target\007\033[?1000h\033]11;#ff0000\007'
stty -echo -icanon
paint() { printf '\033]11;%s\007' "$1"; }
seen=''
while char=$(dd bs=1 count=1 2>/dev/null); do
  seen="$seen$char"
  case $seen in
    *"[M "*) paint '#0000ff'; seen='' ;;
    *'[Ma'*) paint '#ffff00'; seen='' ;;
    *'grün'*) paint '#00ff00'; seen='' ;;
    *q*) paint '#000000'; seen='' ;;
  esac
done
`

/** A screen with a terminal that runs {@link PROGRAM}, and a device for it. */
async function desktop() {
  const cwd = folder()
  mkdirSync(join(cwd, 'work'))
  writeFileSync(join(cwd, 'program.sh'), PROGRAM)
  const screen = await virtualScreen('1800x900')
  const env = { ...process.env, DISPLAY: screen.display, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' }
  const tools = await toolCaller({ cwd, env, config: DeviceConfig.parse({ shell: 'full', policy: ALLOW_ALL }) })
  await tools.value('start_job', {
    program: 'xterm',
    args: ['-u8', '-geometry', '60x20+300+200', '-e', 'sh', join(cwd, 'program.sh')],
  })
  return {
    tools,
    async [Symbol.asyncDispose]() {
      await tools[Symbol.asyncDispose]()
      await screen[Symbol.asyncDispose]()
    },
  }
}

/** The window of the program, once it is there. */
async function target(tools: ToolCaller): Promise<Window> {
  const find = async (): Promise<Window | undefined> =>
    (await tools.value<{ windows: Window[] }>('list_windows')).windows.find(({ title }) => title === 'target')
  try {
    await expect.poll(find, { timeout: 40_000 }).toBeDefined()
  } catch (cause) {
    const said = await tools.value('read_output', { id: 'job-1', offset: 0 })
    throw new Error(`the window does not come; its program: ${JSON.stringify(said)}`, { cause })
  }
  return (await find())!
}

/** Takes a screenshot and looks at one pixel of it: `x` and `y` of the screen. */
async function colour(tools: ToolCaller, x: number, y: number): Promise<string> {
  const [image, text] = await tools.value<Content>('screenshot', {})
  const place = JSON.parse(text.text) as { width: number; picture_width: number }
  const scale = place.picture_width / place.width
  const crop = `1x1+${Math.round(x * scale)}+${Math.round(y * scale)}`
  const output = execFileSync('convert', ['-', '-crop', crop, '-depth', '8', 'rgb:-'], {
    input: Buffer.from(image.data, 'base64'),
  })
  return output.toString('hex')
}

describe.runIf(ready)('the tools of the server desktop', () => {
  it('open a program, click, type, scroll and press keys in it, and see what becomes of it', { timeout: 120_000 }, async () => {
    await using at = await desktop()
    const { tools } = at
    const { id, x, y, width, height } = await target(tools)
    const middle = { x: x + Math.floor(width / 2), y: y + Math.floor(height / 2) }
    // A place without text.
    const see = (): Promise<string> => colour(tools, x + width - 30, y + height - 20)
    await expect.poll(see, { timeout: 10_000 }).toBe('ff0000')

    await tools.value('click', middle)
    await expect.poll(see, { timeout: 10_000 }).toBe('0000ff')
    await tools.value('type_text', { text: 'grün', window_id: id })
    await expect.poll(see, { timeout: 10_000 }).toBe('00ff00')
    await tools.value('scroll', { ...middle, direction: 'down', steps: 1 })
    await expect.poll(see, { timeout: 10_000 }).toBe('ffff00')
    await tools.value('press_keys', { keys: ['q'] })
    await expect.poll(see, { timeout: 10_000 }).toBe('000000')
    for (const [tool, args] of [
      ['click', { x: 5000, y: 1 }],
      ['scroll', { x: 1, y: 900 }],
      ['drag', { start_x: 1, start_y: 1, end_x: 1800, end_y: 1 }],
    ] as const)
      expect(await tools.error(tool, args)).toMatch(/^\d+, \d+ is outside of the screen, which has 1800 x 900 pixels$/)

    // The same with the names that existing agents know.
    expect(await tools.error('click_on_coordinates', { x: 0.5, y: 0.5 })).toBe(
      'No window is selected, please select a window first.',
    )
    const list = await tools.value<{ id: string }[]>('get_desktop_app_info')
    expect(list).toContainEqual({ id, name: 'target', type: 'Window', kind: 'window' })
    expect(await tools.value('select_application_window', { id, name: 'target' })).toMatchObject({
      root_name: 'target',
      window_info: { id },
    })
    await tools.value('click_on_coordinates', { x: 0.5, y: 0.5 })
    await expect.poll(see, { timeout: 10_000 }).toBe('0000ff')
    await tools.value('type_text', { text: 'q' })
    await expect.poll(see, { timeout: 10_000 }).toBe('000000')
    await tools.value('drag_on_coordinates', {
      start_x: 0.2,
      start_y: 0.2,
      end_x: 0.8,
      end_y: 0.8,
      duration: 0.1,
      key_hold: 'ctrl',
    })
    await tools.value('drag', { start_x: middle.x, start_y: middle.y, end_x: middle.x + 40, end_y: middle.y + 40 })
    await expect.poll(see, { timeout: 10_000 }).toBe('0000ff')
    expect(await tools.value('capture_window_screenshot')).toMatch(/^data:image\/png;base64,/)
    expect(await tools.error('select_application_window', { id: '99999' })).toBe("There is no window '99999'")
  })

  it('type a line end as the Return key', { timeout: 120_000 }, async () => {
    await using at = await desktop()
    const { tools } = at
    const typed = join(folder(), 'typed')
    const script = String.raw`printf '\033]2;reader\007'; stty raw -echo; dd bs=1 count=9 of="$0" 2> /dev/null`
    await tools.value('start_job', { program: 'xterm', args: ['-u8', '-e', 'sh', '-c', script, typed] })
    const find = async (): Promise<Window | undefined> =>
      (await tools.value<{ windows: Window[] }>('list_windows')).windows.find(({ title }) => title === 'reader')
    await expect.poll(find, { timeout: 40_000 }).toBeDefined()
    const { id } = (await find())!
    await tools.value('type_text', { text: 'one\ntw\r\n\t.', window_id: id })
    await expect.poll(() => (existsSync(typed) ? readFileSync(typed, 'utf8') : ''), { timeout: 20_000 }).toBe('one\rtw\r\t.')
  })

  it('give pictures within bounds, and in full size on request', { timeout: 120_000 }, async () => {
    await using at = await desktop()
    const { tools } = at
    await target(tools)
    const sides = (image: Content[0]): number[] =>
      execFileSync('convert', ['-', '-format', '%w %h', 'info:'], { input: Buffer.from(image.data, 'base64') })
        .toString()
        .split(' ')
        .map(Number)
    const [small] = await tools.value<Content>('screenshot')
    expect(small.mimeType).toBe('image/png')
    expect(sides(small)).toEqual([DESKTOP_LIMITS.side, (DESKTOP_LIMITS.side * 900) / 1800])
    const [fullSize] = await tools.value<Content>('screenshot', { full_size: true })
    expect(sides(fullSize)).toEqual([1800, 900])
    expect(await tools.value('capture_desktop_screenshot')).toMatch(/^data:image\/png;base64,/)

    // Noise does not get small as a PNG.
    const noise = join(folder(), 'noise.rgb')
    writeFileSync(noise, randomFillSync(Buffer.alloc(1800 * 900 * 3)))
    await tools.value('start_job', {
      program: 'display',
      args: ['-size', '1800x900', '-depth', '8', '-window', 'root', `rgb:${noise}`],
    })
    const last: { image?: Content[0] } = {}
    await expect
      .poll(
        async () => {
          last.image = (await tools.value<Content>('screenshot'))[0]
          return last.image.mimeType
        },
        { timeout: 20_000 },
      )
      .toBe('image/jpeg')
    expect(Buffer.from(last.image!.data, 'base64').length).toBeLessThanOrEqual(DESKTOP_LIMITS.picture)
    expect(sides(last.image!)[0]).toBe(DESKTOP_LIMITS.side)
  })
})
