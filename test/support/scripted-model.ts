import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { Json } from './wire-client.js'

/** One tool call that the scripted model makes. */
export interface ScriptedCall {
  tool: string
  input?: Json | string
}

/** What the scripted model answers one request. */
export type Reply =
  | {
      text?: string
      calls?: ScriptedCall[]
      finish?: 'length' | 'filtered'
      usage?: { input: number; output: number; cached?: number }
    }
  /** An error before anything is said. */
  | { status: number; error: string; headers?: Record<string, string> }
  /** Says this much, then the connection is cut. */
  | { cut: string }
  /** Says this much, then reports an error in the stream. */
  | { broken: string; error: string }
  /** Exactly this, as a stream of events unless its type says otherwise; then, if it is cut, the connection breaks. */
  | { raw: string; status?: number; type?: string; cut?: true }
  /** Nothing comes for as long as the client waits. */
  | 'silence'

/** A request as it came, with what tests ask of it. */
export interface RecordedRequest {
  path: string
  headers: IncomingHttpHeaders
  body: Json
  /** How often the assistant has spoken in it: the number of the turn that is asked for. */
  turn: number
  /** Names of the tools that are offered. */
  tools: string[]
  /** All texts in it, one after the other; images as `[image]`. */
  text: string
}

/** What a script is: replies in order, the last of which repeats, or a function of the request. */
export type Script = readonly Reply[] | ((request: RecordedRequest, index: number) => Reply | Promise<Reply>)

/** A model endpoint on a free port: OpenAI's chat completions at `/v1`, and Anthropic's messages. It says what its script says. */
export interface ScriptedModel extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`; OpenAI's base URL is this with `/v1`. */
  url: string
  requests: RecordedRequest[]
  /** Settles when so many requests have come. */
  asked(count: number): Promise<void>
}

/** Errors as providers word them. */
export const ERRORS_OF_PROVIDERS = {
  wrongKey: { status: 401, error: 'Incorrect API key provided' },
  unknownModel: { status: 404, error: 'The model does not exist or you do not have access to it' },
  rateLimit: { status: 429, error: 'Rate limit reached for requests', headers: { 'retry-after': '7' } },
  contextTooLong: {
    status: 400,
    error: "This model's maximum context length is 8192 tokens, however your messages resulted in 9000",
  },
  noTools: { status: 400, error: 'registry.ollama.ai/library/tiny does not support tools' },
  noImages: { status: 400, error: 'Invalid content type: image_url is not supported by this model' },
  internal: { status: 500, error: 'The server had an error while processing your request' },
} as const

export async function startScriptedModel(script: Script): Promise<ScriptedModel> {
  const requests: RecordedRequest[] = []
  let changed = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const path = request.url ?? ''
      const dialect = DIALECTS[path]
      if (dialect === undefined) return void response.writeHead(404).end('Not Found')
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Json
      const index = requests.length
      const recorded = recordOf(path, request.headers, body)
      requests.push(recorded)
      changed.resolve()
      changed = Promise.withResolvers()
      const reply = typeof script === 'function' ? await script(recorded, index) : (script[index] ?? script.at(-1) ?? 'silence')
      answer(response, reply, dialect, body['stream'] === true, index)
    })().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    requests,
    async asked(count) {
      while (requests.length < count) await changed.promise
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function recordOf(path: string, headers: IncomingHttpHeaders, body: Json): RecordedRequest {
  const messages = body['messages'] as Json[]
  const tools = (body['tools'] ?? []) as Json[]
  return {
    path,
    headers,
    body,
    turn: messages.filter((message) => message['role'] === 'assistant').length,
    tools: tools.map((tool) => String((tool['function'] as Json | undefined)?.['name'] ?? tool['name'])),
    text: [body['system'], ...messages.map((message) => message['content'])].map(textIn).join('\n'),
  }
}

function textIn(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return (content as Json[])
    .map((part) =>
      part['type'] === 'image' || part['type'] === 'image_url' ? '[image]' : textIn(part['text'] ?? part['content']),
    )
    .join('\n')
}

/** How a protocol says what a model says. */
interface Dialect {
  whole(reply: Said, id: string): Json
  /** All frames of a stream; each is an event name, or none, and its data. */
  frames(reply: Said, id: string): [event: string | null, data: Json][]
  /** The frames that end a stream. */
  end(reply: Said): [event: string | null, data: Json | string][]
  error(message: string, status: number): Json
}

type Said = Extract<Reply, { text?: string; calls?: ScriptedCall[] }>

function answer(response: ServerResponse, reply: Reply, dialect: Dialect, streaming: boolean, index: number): void {
  if (reply === 'silence') return
  if ('raw' in reply) {
    response.writeHead(reply.status ?? 200, { 'content-type': reply.type ?? 'text/event-stream' })
    if (reply.cut !== true) return void response.end(reply.raw)
    response.write(reply.raw)
    return void setImmediate(() => response.destroy())
  }
  if ('status' in reply) {
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
    return void response.end(JSON.stringify(dialect.error(reply.error, reply.status)))
  }
  const id = `r${index}`
  const partial = 'cut' in reply ? reply.cut : 'broken' in reply ? reply.broken : null
  const said: Said = partial === null ? (reply as Said) : { text: partial }
  if (!streaming) {
    if (partial !== null) return void response.destroy()
    response.writeHead(200, { 'content-type': 'application/json' })
    return void response.end(JSON.stringify(dialect.whole(said, id)))
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = ([event, data]: [string | null, Json | string]): void => {
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    response.write(`${event === null ? '' : `event: ${event}\n`}data: ${text}\n\n`)
  }
  for (const frame of dialect.frames(said, id)) send(frame)
  if ('cut' in reply) return void setImmediate(() => response.destroy())
  if ('broken' in reply) {
    const error = dialect.error(reply.error, 500)
    send([dialect === ANTHROPIC ? 'error' : null, error])
    return void response.end()
  }
  for (const frame of dialect.end(said)) send(frame)
  response.end()
}

function usageOf({ usage }: Said): { input: number; output: number; cached: number } {
  return { input: 100, output: 10, cached: 0, ...usage }
}

function argumentsOf({ input = {} }: ScriptedCall): string {
  return typeof input === 'string' ? input : JSON.stringify(input)
}

const OPENAI: Dialect = {
  whole: (reply, id) => ({
    id,
    object: 'chat.completion',
    created: 0,
    model: 'scripted',
    choices: [
      {
        index: 0,
        finish_reason: openAiFinish(reply),
        message: {
          role: 'assistant',
          content: reply.text ?? null,
          tool_calls: reply.calls?.map((call, index) => ({
            id: `${id}c${index}`,
            type: 'function',
            function: { name: call.tool, arguments: argumentsOf(call) },
          })),
        },
      },
    ],
    usage: openAiUsage(reply),
  }),
  frames(reply, id) {
    const chunk = (delta: Json): [null, Json] => [
      null,
      { id, object: 'chat.completion.chunk', created: 0, model: 'scripted', choices: [{ index: 0, delta, finish_reason: null }] },
    ]
    const words = (reply.text ?? '').match(/\S+\s*/g) ?? []
    return [
      chunk({ role: 'assistant', content: '' }),
      ...words.map((content) => chunk({ content })),
      ...(reply.calls ?? []).flatMap((call, index) => {
        const text = argumentsOf(call)
        const half = Math.ceil(text.length / 2)
        return [
          chunk({
            tool_calls: [
              { index, id: `${id}c${index}`, type: 'function', function: { name: call.tool, arguments: text.slice(0, half) } },
            ],
          }),
          chunk({ tool_calls: [{ index, function: { arguments: text.slice(half) } }] }),
        ]
      }),
    ]
  },
  end: (reply) => [
    [null, { choices: [{ index: 0, delta: {}, finish_reason: openAiFinish(reply) }] }],
    [null, { choices: [], usage: openAiUsage(reply) }],
    [null, '[DONE]'],
  ],
  error: (message, status) => ({
    error: { message, type: status === 429 ? 'rate_limit_error' : 'invalid_request_error', code: null },
  }),
}

function openAiFinish({ finish, calls }: Said): string {
  if (finish === 'length') return 'length'
  if (finish === 'filtered') return 'content_filter'
  return calls === undefined || calls.length === 0 ? 'stop' : 'tool_calls'
}

function openAiUsage(reply: Said): Json {
  const { input, output, cached } = usageOf(reply)
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
  }
}

const ANTHROPIC: Dialect = {
  whole: (reply, id) => ({
    id,
    type: 'message',
    role: 'assistant',
    model: 'scripted',
    content: anthropicContent(reply, id),
    stop_reason: anthropicStop(reply),
    stop_sequence: null,
    usage: { input_tokens: usageOf(reply).input, output_tokens: usageOf(reply).output },
  }),
  frames(reply, id) {
    const message = {
      id,
      type: 'message',
      role: 'assistant',
      model: 'scripted',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: usageOf(reply).input, output_tokens: 1 },
    }
    const blocks = anthropicContent(reply, id).flatMap((block, index): [string, Json][] => {
      const text = block['type'] === 'text'
      const start = text ? { type: 'text', text: '' } : { ...block, input: {} }
      const delta = text
        ? { type: 'text_delta', text: block['text'] }
        : {
            type: 'input_json_delta',
            partial_json: argumentsOf({
              tool: '',
              input: (reply.calls ?? [])[index - (reply.text === undefined ? 0 : 1)]?.input ?? {},
            }),
          }
      return [
        ['content_block_start', { type: 'content_block_start', index, content_block: start }],
        ['content_block_delta', { type: 'content_block_delta', index, delta }],
        ['content_block_stop', { type: 'content_block_stop', index }],
      ]
    })
    return [['message_start', { type: 'message_start', message }], ...blocks]
  },
  end: (reply) => [
    [
      'message_delta',
      {
        type: 'message_delta',
        delta: { stop_reason: anthropicStop(reply), stop_sequence: null },
        usage: { output_tokens: usageOf(reply).output },
      },
    ],
    ['message_stop', { type: 'message_stop' }],
  ],
  error: (message, status) => ({
    type: 'error',
    error: {
      type: status === 401 ? 'authentication_error' : status === 500 ? 'overloaded_error' : 'invalid_request_error',
      message,
    },
  }),
}

function anthropicContent({ text, calls = [] }: Said, id: string): Json[] {
  return [
    ...(text === undefined ? [] : [{ type: 'text', text }]),
    ...calls.map((call, index) => ({ type: 'tool_use', id: `${id}c${index}`, name: call.tool, input: call.input ?? {} })),
  ]
}

function anthropicStop({ finish, calls }: Said): string {
  if (finish === 'length') return 'max_tokens'
  if (finish === 'filtered') return 'refusal'
  return calls === undefined || calls.length === 0 ? 'end_turn' : 'tool_use'
}

const DIALECTS: Readonly<Record<string, Dialect>> = { '/v1/chat/completions': OPENAI, '/v1/messages': ANTHROPIC }
