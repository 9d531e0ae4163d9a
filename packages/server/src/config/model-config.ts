import { z } from 'zod'

const Prices = z
  .strictObject({
    input: z.number().min(0).describe('US dollars per million tokens that the model reads'),
    output: z.number().min(0).describe('US dollars per million tokens that the model writes'),
    cached_input: z.number().min(0).optional().describe('The same for tokens read from its cache; default: as input'),
  })
  .describe('What the model costs, so that cost can be shown and limited')

/** One model at one endpoint. */
const Endpoint = z.strictObject({
  provider: z
    .enum(['openai', 'anthropic', 'openai-compatible', 'ollama'])
    .optional()
    .describe('Who serves it; default: found by the name and by which keys are set'),
  name: z.string().min(1).describe('The name of the model, as its provider writes it'),
  base_url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Address of the API, such as http://127.0.0.1:8000/v1; default: the provider's"),
  api_key: z.string().min(1).optional().describe('The key itself; prefer api_key_env'),
  api_key_env: z
    .string()
    .min(1)
    .optional()
    .describe('Environment variable that holds the key; default: OPENAI_API_KEY or ANTHROPIC_API_KEY'),
  context_tokens: z
    .number()
    .int()
    .min(2000)
    .optional()
    .describe("Size of the model's window in tokens; older results are shortened to fit"),
  max_output_tokens: z.number().int().min(1).optional().describe("Longest answer in tokens; default: the provider's"),
  temperature: z.number().min(0).max(2).optional().describe("Default: the provider's"),
  stream: z
    .boolean()
    .optional()
    .describe('Whether answers are streamed; false for endpoints whose streams lack tool calls; default true'),
  images: z.boolean().optional().describe('Whether the model is shown images; default true'),
  prices: Prices.optional(),
})

/** The `model` block of a server's configuration. */
export const ModelConfig = Endpoint.extend({
  name: Endpoint.shape.name
    .optional()
    .describe('The name of the model, as its provider writes it; ORRERY_MODEL takes precedence'),
  fallback: Endpoint.optional().describe('Used when the first has failed permanently'),
  timeout_s: z
    .number()
    .positive()
    .max(300)
    .optional()
    .describe('Seconds of silence after which a request is abandoned; default 120'),
  retries: z
    .number()
    .int()
    .min(0)
    .max(20)
    .optional()
    .describe('How often a request is repeated after a transient failure; default 4'),
  question_s: z.number().positive().optional().describe('Seconds that a question to the user waits for its answer; default 600'),
  limits: z
    .strictObject({
      steps: z.number().int().min(1).optional().describe('Turns of the model; default 50'),
      tokens: z.number().int().min(1).optional().describe('Tokens of all turns, in and out; default: no limit'),
      time_s: z.number().positive().optional().describe('Seconds since the session began; default 3600'),
      cost_usd: z.number().positive().optional().describe('US dollars; needs prices; default: no limit'),
    })
    .optional()
    .describe('What one session may use'),
})
export type ModelConfig = z.infer<typeof ModelConfig>
export type EndpointConfig = z.infer<typeof Endpoint>
