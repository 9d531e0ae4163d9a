import { describe, expect, it } from 'vitest'
import { toolCaller } from './support/tool-caller.js'

describe('the server desktop', () => {
  it('is not offered where there is no display', async () => {
    await using tools = await toolCaller({ env: { PATH: process.env['PATH'] } })
    expect(await tools.error('screenshot')).toContain('is not registered')
  })

  it.runIf(process.platform === 'linux')('says which package is missing', async () => {
    await using tools = await toolCaller({ env: { DISPLAY: ':99', PATH: '/no/such/folder' } })
    expect(await tools.error('screenshot')).toContain(
      "The desktop is not supported here: the program 'xdotool' is missing; install the package xdotool",
    )
  })
})
