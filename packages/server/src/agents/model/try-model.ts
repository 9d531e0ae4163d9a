import { messageOf, systemClock } from '@orrery/aip'
import { askOnce, type Question } from './ask-once.js'
import { connectModel } from './connect-model.js'
import { failureOf, modelError } from './model-failure.js'
import { Secrets } from '../../identity/secrets.js'
import { addressOf, modelKeys, type ModelEndpoint, type ModelSettings } from './model-settings.js'
import { modelTools } from './model-tools.js'
import type { ReadTurn } from './read-turn.js'
import { RequestShape } from './request-shape.js'
import { Untrusted } from './untrusted.js'

/** Whether a model can do one thing. */
export interface Ability {
  able: boolean
  /** Its answer, or why it cannot. */
  detail: string
  /** Milliseconds that the answer took. */
  ms: number
}

/** What one endpoint can do. Tools and images are not tried if it does not answer at all. */
export interface CheckedModel {
  model: string
  provider: string
  address: string
  answers: Ability
  tools: Ability | null
  images: Ability | null
}

const RED =
  'iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAJ0lEQVR42u3NsQkAAAjAsP7/tF7hIASyp6lTCQQCgUAgEAgEgi/BAjLD/C5w/SM9AAAAAElFTkSuQmCC'
const SYSTEM = 'You are being tested. Do exactly what is asked, and nothing else.'
const SECRET_NUMBER = 4711

/** Tries the configured endpoints. Never throws. */
export async function tryModel(settings: ModelSettings, signal: AbortSignal): Promise<CheckedModel[]> {
  const endpoints = [settings.main, ...(settings.fallback === null ? [] : [settings.fallback])]
  return Promise.all(endpoints.map((endpoint) => checkEndpoint(endpoint, settings, signal)))
}

async function checkEndpoint(endpoint: ModelEndpoint, settings: ModelSettings, signal: AbortSignal): Promise<CheckedModel> {
  const secrets = new Secrets(modelKeys(settings))
  const clean = (text: string): string => secrets.removedFrom(text)
  const attempt = async (
    question: Omit<Question, 'system' | 'about'>,
    judge: (turn: ReadTurn) => Omit<Ability, 'ms'>,
  ): Promise<Ability> => {
    const begun = performance.now()
    const took = (): number => Math.round(performance.now() - begun)
    try {
      const options = {
        clock: systemClock,
        signal,
        timeoutMs: settings.timeoutMs,
        shape: new RequestShape({ ...endpoint, images: true }),
        clean,
      }
      const turn = await askOnce(await connectModel(endpoint), endpoint, { system: SYSTEM, about: null, ...question }, options)
      return { ...judge(turn), ms: took() }
    } catch (thrown) {
      const detail = messageOf(modelError(failureOf(thrown, Date.now()), endpoint, settings.timeoutMs))
      return { able: false, detail: clean(detail), ms: took() }
    }
  }
  const answers = await attempt({ entries: [{ kind: 'user', text: 'Answer with the one word: ready' }], tools: [] }, (turn) => ({
    able: turn.text !== '',
    detail: turn.text === '' ? 'the answer was empty' : turn.text,
  }))
  const checked = {
    model: endpoint.model,
    provider: endpoint.provider,
    address: addressOf(endpoint),
    answers,
  }
  if (!answers.able) return { ...checked, tools: null, images: null }
  const tools = await attempt(
    { entries: [{ kind: 'user', text: `Call the tool report with the number ${SECRET_NUMBER}.` }], tools: REPORT },
    ({ calls, text }) => {
      const called = calls.some(({ tool, input }) => tool === 'report' && Number(input?.['number']) === SECRET_NUMBER)
      return { able: called, detail: called ? 'called a tool as asked' : `it was asked to call a tool, and said: ${text}` }
    },
  )
  const images = await attempt(
    {
      entries: [
        {
          kind: 'observation',
          outcomes: [
            {
              callId: 'image',
              tool: 'camera',
              status: 'success',
              text: new Untrusted(''),
              images: [{ mediaType: 'image/png', data: RED }],
            },
          ],
        },
        { kind: 'user', text: 'Which colour has the image? Answer with one word.' },
      ],
      tools: [],
    },
    ({ text }) => {
      const seen = /\b(red|rot|rouge|rojo)\b/i.test(text)
      return { able: seen, detail: seen ? 'sees what is on them' : `it was shown something red, and said: ${text}` }
    },
  )
  return { ...checked, tools, images }
}

const REPORT = modelTools(
  [
    {
      tool_key: 'action::report',
      tool_name: 'report',
      tool_type: 'action',
      namespace: 'check',
      title: null,
      description: 'Reports a number.',
      input_schema: { properties: { number: { type: 'number' } }, required: ['number'] },
      output_schema: null,
      meta: null,
      annotations: null,
    },
  ],
  [],
).list
