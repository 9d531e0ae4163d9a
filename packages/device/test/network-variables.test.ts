import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { connectProxy } from '../../../test/support/connect-proxy.js'
import { DeviceConfig, startDevice } from '../src/index.js'
import { childEnvironment, plainEnvironment } from '../src/process/child-environment.js'
import { ALLOW_ALL, TOOL_SERVER, onlyTools, withServers } from './support/config.js'
import { RecordingLogger } from './support/recording-logger.js'
import { online } from './support/running-device.js'
import { ScriptedServer } from './support/scripted-server.js'
import { temporaryFolders } from './support/temporary.js'
import { toolCaller } from './support/tool-caller.js'

const folder = temporaryFolders()

afterEach(() => vi.unstubAllEnvs())

describe('variables of the network', () => {
  const network = {
    HTTPS_PROXY: 'http://me:secret@proxy:8080',
    http_proxy: 'http://proxy:8080',
    NO_PROXY: '.corp',
    NODE_EXTRA_CA_CERTS: '/etc/ca.pem',
    SSL_CERT_DIR: '/etc/certs',
    npm_config_registry: 'https://npm.corp/',
    NPM_CONFIG_CAFILE: '/etc/ca.pem',
    UV_INDEX_URL: 'https://pypi.corp/',
    PIP_CERT: '/etc/ca.pem',
    REQUESTS_CA_BUNDLE: '/etc/ca.pem',
  }
  const others = {
    ORRERY_API_KEY: 'secret',
    'npm_config_//npm.corp/:_authToken': 'secret',
    UV_INDEX_CORP_PASSWORD: 'secret',
    UV_PUBLISH_TOKEN: 'secret',
    npm_config_local_prefix: '/here',
    npm_config_user_agent: 'npm/11',
    UV_OFFLINE: '',
    PIPELINE: 'x',
  }

  it('reach what may download, without keys and without what npm says of this package', () => {
    const own = { ...network, ...others, HOME: '/home/me' }
    expect(childEnvironment(own)).toEqual({ ...network, HOME: '/home/me' })
    expect(childEnvironment(own, { HTTPS_PROXY: 'http://other' })['HTTPS_PROXY']).toBe('http://other')
    expect(plainEnvironment(own)).toEqual({ HOME: '/home/me' })
  })

  it('reach MCP servers, and commands beyond the list of the strict shell', async () => {
    const env = { ...process.env, HTTPS_PROXY: 'http://me:secret@proxy:8080', NODE_EXTRA_CA_CERTS: '' }
    await using lab = await online({ config: withServers({ lab: TOOL_SERVER }), env })
    const [result] = await lab.connection.run([{ tool_name: 'environment', parameters: {} }])
    expect(JSON.parse(String(result!['result']))).toMatchObject({ HTTPS_PROXY: env.HTTPS_PROXY })
    const line = { line: 'echo "<$HTTPS_PROXY>"' }
    await using full = await toolCaller({ config: DeviceConfig.parse({ shell: 'full', policy: ALLOW_ALL }), env, cwd: folder() })
    expect(await full.value('run_command', line)).toMatchObject({ stdout: `<${env.HTTPS_PROXY}>\n` })
    await using permitted = await toolCaller({ env, cwd: folder() })
    expect(await permitted.value('run_command', { program: 'sh', args: ['-c', line.line] })).toMatchObject({
      stdout: `<${env.HTTPS_PROXY}>\n`,
    })
  })
})

describe('behind a proxy', () => {
  it('a device reaches its server, and no log has the password', async () => {
    await using server = await ScriptedServer.listen()
    await using proxy = await connectProxy(Number(new URL(server.url).port))
    for (const name of ['HTTP_PROXY', 'NO_PROXY', 'no_proxy', 'http_proxy', 'ALL_PROXY', 'all_proxy']) vi.stubEnv(name, '')
    vi.stubEnv('HTTP_PROXY', proxy.url.replace('//', '//me:s3cret@'))
    const logger = new RecordingLogger()
    const device = startDevice({ serverUrl: 'ws://orrery.corp.invalid/ws', clientId: 'lab-1', token: 'k', logger })
    const connection = await server.connection()
    await connection.accept()
    await device.registered
    expect(proxy.asked).toMatchObject([{ target: 'orrery.corp.invalid:80' }])
    expect(connection.headers['proxy-authorization']).toBeUndefined()
    await device.stop()
    expect(logger.lines.join('\n')).not.toContain('s3cret')
  })

  it('MCP servers over HTTP are reached, and an error names the proxy that failed', async () => {
    const handler = toNodeHandler(
      createMcpHandler(() => {
        const mcp = new McpServer({ name: 'far', version: '1' })
        mcp.registerTool('hello', {}, () => ({ content: [{ type: 'text', text: 'hello' }] }))
        return mcp
      }),
    )
    const http = createServer((request, response) => void handler(request as Parameters<typeof handler>[0], response))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    try {
      const far = { url: 'http://mcp.corp.invalid/mcp' }
      const config = DeviceConfig.parse({ tools: onlyTools(), mcpServers: { far }, policy: ALLOW_ALL })
      await using proxy = await connectProxy((http.address() as AddressInfo).port)
      await using tools = await toolCaller({ config, env: { HTTP_PROXY: proxy.url } })
      expect(await tools.value('hello')).toBe('hello')
      expect(proxy.asked[0]?.target).toBe('mcp.corp.invalid:80')
      await using bad = await connectProxy(1, 502)
      await using others = await toolCaller({ config, env: { HTTP_PROXY: bad.url.replace('//', '//me:s3cret@') } })
      const error = await others.error('hello')
      expect(error).toContain(`through the proxy ${bad.url} (HTTP_PROXY): `)
      expect(error).not.toContain('s3cret')
    } finally {
      http.close()
      http.closeAllConnections()
    }
  })
})
