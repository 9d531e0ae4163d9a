import { readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { aipError, messageOf } from '@orrery/aip'
import { YamlSource, describeProblems, problemsOf } from '@orrery/graph'
import { z } from 'zod'
import { isNetwork } from './network.js'
import type { SecretSource } from './secret-sources.js'
import { ModelConfig } from './model-config.js'

const pattern = z.string().refine(isPattern, 'is not a regular expression')

/** A server's configuration file, YAML or JSON. Relative paths are relative to the file. */
export const ServerConfig = z.strictObject({
  $schema: z.string().optional(),
  host: z.string().min(1).optional().describe('Address to listen on; default 127.0.0.1'),
  port: z.number().int().min(0).max(65_535).optional().describe('Port; 0 picks a free one; default 5000'),
  log_level: z.string().optional().describe('DEBUG, INFO, WARNING, ERROR, CRITICAL or OFF; default WARNING'),
  data_dir: z.string().min(1).optional().describe('Folder of the event log and of own workflows'),
  durability: z.enum(['normal', 'full']).optional().describe('full also survives power loss; default normal'),
  platform: z.string().optional().describe('Treat every device as if it had this platform'),
  dialect: z
    .enum(['auto', 'wire', 'documented'])
    .optional()
    .describe('Names in messages; auto follows each client; default auto'),
  max_clients: z.number().int().min(1).optional().describe('Maximum number of clients online at once; default: no limit'),
  platforms: z.array(z.string()).optional().describe('Platforms that devices may have; default: all known ones'),
  client_id_pattern: pattern.optional().describe('Regular expression that client ids must match as a whole'),
  heartbeat_timeout_s: z
    .number()
    .positive()
    .optional()
    .describe('Drop a client that is silent for this many seconds; default: never'),
  takeover: z
    .enum(['refuse', 'replace'])
    .optional()
    .describe(
      'What a registration under an id that is online does: it is refused, or it replaces the old connection; default refuse',
    ),
  resume: z
    .enum(['on', 'off'])
    .optional()
    .describe('With off, no session waits for a client that has dropped, whatever the client can do; default on'),
  resume_grace_s: z
    .number()
    .positive()
    .optional()
    .describe('Seconds that sessions wait for a device that has dropped and can resume; default 120'),
  silence_s: z
    .number()
    .positive()
    .optional()
    .describe('Seconds without an answer after which a connection that can resume counts as dead, on both ends; default 30'),
  devices_may_ask: z
    .number()
    .int()
    .min(0)
    .optional()
    .describe('Tasks in words that each device itself may ask for in a day: they use the model of the server; default 0'),
  retention_h: z.number().positive().optional().describe('Hours that ended sessions are kept; default 24'),
  devices_file: z.string().min(1).optional().describe('File with what the server adds to its devices'),
  workflow_agent: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Agent name of the commands of workflows that set none, such as FollowerAgent; default: that of the device's platform",
    ),
  secrets: z
    .record(
      z.string().regex(/^[A-Za-z_]\w{0,127}$/),
      z.union(
        [
          z.strictObject({ env: z.string().min(1).describe('Variable of the environment of the server') }),
          z.strictObject({ file: z.string().min(1).describe('File whose content is the secret') }),
        ],
        { error: 'must be { env: VARIABLE } or { file: PATH }' },
      ),
    )
    .optional()
    .describe('Secrets that workflows use as secrets.NAME, and where they are; variables ORRERY_SECRET_NAME are secrets too'),
  model: ModelConfig.optional().describe('The model for requests in words; without one only workflows and commands run'),
  message_rate: z
    .number()
    .positive()
    .optional()
    .describe('Messages of one client a second, besides results and progress that are waited for; default 200'),
  public_url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Address under which browsers reach the server through a proxy, such as https://orrery.example.org'),
  cors_origins: z
    .array(
      z.string().refine(isOrigin, 'is not an origin, such as https://app.example.org: scheme, host and port, without a path'),
    )
    .optional()
    .describe('Origins of web pages that may use the HTTP API from a browser, such as https://app.example.org; default: none'),
  trusted_proxies: z
    .array(z.string().refine(isNetwork, 'is not an address or a network'))
    .optional()
    .describe('Addresses or networks of proxies whose X-Forwarded-For counts, such as 10.0.0.0/8; default: none'),
  tls: z
    .strictObject({
      cert: z.string().min(1).describe('File with the certificate, PEM'),
      key: z.string().min(1).describe('File with its key, PEM'),
      client_ca: z.string().min(1).optional().describe('File with the authority whose client certificates are required, PEM'),
    })
    .optional()
    .describe('Serve https and wss'),
})
export type ServerConfig = z.infer<typeof ServerConfig>

/**
 * Reads a server's configuration.
 * @returns it with absolute paths
 * @throws AipError `INVALID_CONFIG` that names each problem with file, line and column
 */
export function loadServerConfig(path: string): ServerConfig {
  const config = loadYaml(path, ServerConfig)
  const absolute = (file: string): string => resolve(dirname(path), file)
  return {
    ...config,
    ...(config.data_dir === undefined ? {} : { data_dir: absolute(config.data_dir) }),
    ...(config.secrets === undefined ? {} : { secrets: withAbsoluteFiles(config.secrets, absolute) }),
    ...(config.devices_file === undefined ? {} : { devices_file: absolute(config.devices_file) }),
    ...(config.tls === undefined
      ? {}
      : {
          tls: {
            cert: absolute(config.tls.cert),
            key: absolute(config.tls.key),
            ...(config.tls.client_ca === undefined ? {} : { client_ca: absolute(config.tls.client_ca) }),
          },
        }),
  }
}

function withAbsoluteFiles(
  secrets: Readonly<Record<string, SecretSource>>,
  absolute: (file: string) => string,
): Record<string, SecretSource> {
  return Object.fromEntries(
    Object.entries(secrets).map(([name, source]) => [name, 'file' in source ? { file: absolute(source.file) } : source]),
  )
}

/** Reads a YAML or JSON file of a form. @throws AipError `INVALID_CONFIG` */
export function loadYaml<T>(path: string, schema: z.ZodType<T>): T {
  const source = new YamlSource(readText(path))
  const fail = (problems: Parameters<typeof describeProblems>[1]): never => {
    throw aipError('INVALID_CONFIG', { detail: describeProblems(basename(path), problems) })
  }
  if (source.problems.length > 0) return fail(source.problems)
  const parsed = schema.safeParse(source.value ?? {})
  return parsed.success ? parsed.data : fail(parsed.error.issues.flatMap((issue) => problemsOf(issue, source)))
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw aipError('INVALID_CONFIG', { detail: messageOf(error) })
  }
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.parse(text)?.origin === text
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp
  } catch {
    return false
  }
}
