import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DeviceConfig } from '../src/index.js'
import { installedApplications } from '../src/info/applications.js'
import { screenResolution } from '../src/info/screen.js'
import { online } from './support/running-device.js'
import { temporaryFolders } from './support/temporary.js'

const temporary = temporaryFolders()

/** A folder with these files. */
function folderOf(files: Record<string, string>): string {
  const folder = temporary()
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

describe('what a device tells about itself', () => {
  it('has id, platform, version, screen, applications, capabilities, processors and memory [S-235]', async () => {
    const config = DeviceConfig.parse({ tools: { pdf: false, CommandLineExecutor: false } })
    await using running = await online({ config, env: {} }, { aip: { version: 1, features: [] } })
    const { system_info: registered } = running.registration['metadata'] as { system_info: Record<string, unknown> }
    const { metadata: pushed } = await running.connection.next('device_info_response')
    const info = { ...registered, ...(pushed as Record<string, unknown>) }
    expect(info).toMatchObject({
      device_id: 'lab-1',
      platform: expect.any(String),
      os_version: expect.any(String),
      installed_applications: expect.any(Array),
      capabilities: ['command_execution', 'file_operations', 'system_information'],
      cpu_cores: cpus().length,
      memory_gb: registered['memory_total_gb'],
    })
    expect(info).toHaveProperty('screen_resolution', screenResolution())
  })

  it('is collected again when a server with the feature info asks, and another is not answered [S-271]', async () => {
    const config = DeviceConfig.parse({ tools: { pdf: false } })
    {
      await using running = await online({ config }, { aip: { version: 1, features: ['info'] } })
      await running.connection.next('device_info_response')
      running.connection.send('device_info_query')
      const { metadata } = await running.connection.next('device_info_response')
      const { system_info: registered } = running.registration['metadata'] as { system_info: Record<string, unknown> }
      expect(metadata).toMatchObject({ ...registered, capabilities: expect.any(Array), mcp_servers: expect.any(Array) })
    }
    await using running = await online({ config })
    running.connection.send('device_info_query')
    await running.logger.until('Unknown message type: device_info_request')
    expect(running.connection.frames.map(({ type }) => type)).toEqual(['register'])
  })

  it('has the preferred mode of the screen that is connected', () => {
    const folder = folderOf({
      'card0/dev': '226:0',
      'card0-DP-1/status': 'disconnected\n',
      'card0-DP-1/modes': '',
      'card0-HDMI-A-1/status': 'connected\n',
      'card0-HDMI-A-1/modes': '2560x1440\n1920x1080\n',
    })
    expect(screenResolution(folder)).toBe('2560x1440')
    expect(screenResolution(temporary())).toBeNull()
    expect(screenResolution('/no/such/folder')).toBeNull()
  })

  it('has the names of the applications that a desktop shows', () => {
    const entry = (lines: string): string => `[Desktop Entry]\nType=Application\n${lines}\n`
    const folder = folderOf({
      'b.desktop': entry('Name=Writer\n[Desktop Action new]\nName=New document\nNoDisplay=true'),
      'a.desktop': entry('Name[de]=Rechner\nName=Calculator'),
      'hidden.desktop': entry('Name=Helper\nNoDisplay=true'),
      'link.desktop': '[Desktop Entry]\nType=Link\nName=Page\n',
      'Finder.app/x': '',
      'notes.txt': 'Name=Nothing',
    })
    expect(installedApplications([folder, '/no/such/folder', folder])).toEqual(['Calculator', 'Finder', 'Writer'])
  })
})
