/** A flag that can be waited for. */
export class ConnectedEvent {
  #set = false
  #gate = Promise.withResolvers<void>()

  isSet(): boolean {
    return this.#set
  }

  /** Settles when the flag is set, at once if it is. */
  wait(): Promise<void> {
    return this.#gate.promise
  }

  set(): void {
    this.#set = true
    this.#gate.resolve()
  }

  clear(): void {
    if (this.#set) this.#gate = Promise.withResolvers()
    this.#set = false
  }
}
