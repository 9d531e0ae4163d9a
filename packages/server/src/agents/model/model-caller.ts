import type { LanguageModelV4 } from '@ai-sdk/provider'
import { AipError, type Clock, type Logger } from '@orrery/aip'
import { askOnce, type Question } from './ask-once.js'
import { connectModel } from './connect-model.js'
import { failureOf, modelError, type ModelFailure } from './model-failure.js'
import type { Secrets } from '../../identity/secrets.js'
import type { ModelEndpoint, ModelSettings } from './model-settings.js'
import type { ReadTurn } from './read-turn.js'
import { RequestShape, type Sent } from './request-shape.js'
import type { Turn } from './turn.js'
import { SERVER_LIMITS } from '../../limits.js'

/** What the caller needs from its session. */
export interface CallerPort {
  clock: Clock
  logger: Logger
  signal: AbortSignal
  /** Waits. @throws when the session is cancelled meanwhile */
  sleep: (ms: number) => Promise<void>
  /** Reports to the user why it takes longer. */
  report: (message: string) => void
}

/** Asks the model for the turns of one session: retries transient failures, shortens what is too long, and falls back to the other model. */
export class ModelCaller {
  readonly #settings: ModelSettings
  readonly #secrets: Secrets
  readonly #port: CallerPort
  readonly #models = new Map<ModelEndpoint, LanguageModelV4>()
  /** Endpoints that have not failed permanently in this session. */
  readonly #left: ModelEndpoint[]
  /** The form in which each endpoint accepts requests. */
  readonly #shapes = new Map<ModelEndpoint, RequestShape>()

  /** @param secrets what is removed from requests and from errors */
  constructor(settings: ModelSettings, secrets: Secrets, port: CallerPort) {
    this.#settings = settings
    this.#secrets = secrets
    this.#port = port
    this.#left = [settings.main, ...(settings.fallback === null ? [] : [settings.fallback])]
  }

  /** Asks for one turn. @throws AipError that names the setting to check; the signal's reason when the session is cancelled */
  async ask(question: Question): Promise<Omit<Turn, 'heard'>> {
    const { clock, logger } = this.#port
    const begun = clock.now()
    for (;;) {
      const [endpoint] = this.#left
      if (endpoint === undefined) throw new Error('no model is left')
      try {
        const turn = await this.#askEndpoint(endpoint, question)
        return { ...turn, model: endpoint.model, ms: clock.now() - begun }
      } catch (error) {
        if (!(error instanceof AipError) || this.#left.length === 1) throw error
        this.#left.shift()
        const plan = `${error.message}. From now on this session asks ${this.#left[0]?.model ?? ''}`
        logger.warn(plan)
        this.#port.report(plan)
      }
    }
  }

  async #askEndpoint(endpoint: ModelEndpoint, question: Question): Promise<ReadTurn> {
    const { clock, logger, signal, sleep, report } = this.#port
    const { retries, timeoutMs } = this.#settings
    for (let repeated = 0; ;) {
      signal.throwIfAborted()
      let failure: ModelFailure
      const requests: Sent[] = []
      try {
        return await this.#askOnce(endpoint, question, (sent) => requests.push(sent))
      } catch (thrown) {
        signal.throwIfAborted()
        failure = failureOf(thrown, clock.now())
        failure.detail = this.#secrets.removedFrom(failure.detail)
      }
      const sent = requests.at(-1)
      const change = sent === undefined ? null : this.#shapeOf(endpoint).adapt(failure, sent)
      if (change !== null) {
        logger.warn(`${endpoint.model} refused a request (${failure.detail}); it is asked again: ${change}`)
        continue
      }
      const error = modelError(failure, endpoint, timeoutMs)
      if (!failure.passing || repeated >= retries) throw error
      const wait =
        failure.retryAfterMs ?? Math.min(SERVER_LIMITS.modelFirstRetry * 2 ** repeated, SERVER_LIMITS.modelLongestRetry)
      repeated += 1
      const plan = `${error.message}. Repeating in ${wait / 1000} s (${repeated} of ${retries})`
      logger.warn(plan)
      report(plan)
      await sleep(wait)
    }
  }

  async #askOnce(endpoint: ModelEndpoint, question: Question, onSend: (sent: Sent) => void): Promise<ReadTurn> {
    const { clock, signal } = this.#port
    const model = this.#models.get(endpoint) ?? (await connectModel(endpoint))
    this.#models.set(endpoint, model)
    return askOnce(model, endpoint, question, {
      clock,
      signal,
      timeoutMs: this.#settings.timeoutMs,
      shape: this.#shapeOf(endpoint),
      onSend,
      clean: (text) => this.#secrets.removedFrom(text),
    })
  }

  #shapeOf(endpoint: ModelEndpoint): RequestShape {
    const shape = this.#shapes.get(endpoint) ?? new RequestShape(endpoint)
    this.#shapes.set(endpoint, shape)
    return shape
  }
}
