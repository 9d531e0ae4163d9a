import { serverError } from '../errors.js'
import { SERVER_LIMITS } from '../limits.js'

/** The tasks that one connection sends: they are taken one after the other, and only so many wait. */
export class TaskLine {
  readonly #clientId: string
  /** Made with the first task: most of thousands of connections never send one. */
  #last: Promise<unknown> | null = null
  #waiting = 0

  constructor(clientId: string) {
    this.#clientId = clientId
  }

  /** Takes a task when the earlier ones are taken. @throws AipError `TASKS_WAITING` if too many wait, and what `take` throws */
  async next<T>(take: () => Promise<T>): Promise<T> {
    const limit = SERVER_LIMITS.waitingTasks
    if (this.#waiting >= limit) throw serverError('TASKS_WAITING', { id: this.#clientId, limit })
    this.#waiting += 1
    const taken = (this.#last ?? Promise.resolve()).then(take)
    this.#last = taken.catch(() => {})
    try {
      return await taken
    } finally {
      this.#waiting -= 1
    }
  }
}
