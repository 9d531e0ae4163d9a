import { SessionManager } from '../../packages/server/src/sessions/session-manager.js'

/**
 * Returns what is wrong with sessions that nothing will move: each needs a timer, a socket or a queue that does. Waits of agents, such as
 * for a model, are not looked at.
 * @param atRest whether no task is being taken now
 */
export function stuckSessions({ live, lanes }: SessionManager, atRest = true): string[] {
  return [...live].flatMap((session) => {
    const { deviceId, sessionId } = session.task
    const lane = lanes.get(deviceId)
    const problem = (text: string): string[] => [`session ${sessionId} of ${deviceId}: ${text}`]
    if (lane === undefined) return problem('it has no lane')
    // It has 2 s to end.
    if (session.cancelled !== null) return []
    const away = lanes.isAway(deviceId)
    switch (lane.placeOf(session)) {
      case 'recorded':
        return atRest ? problem('it was recorded and never started') : []
      case 'waiting':
        return []
      case 'held':
        return away ? [] : problem('it waits for its device, and no timer ends that')
      case 'idle':
        return problem('it waits in a lane that could run it')
      case 'running':
        return session.dispatcher.isCutOff && !away ? problem('its connection was lost, and no timer awaits its device') : []
    }
  })
}

/** What {@link watchStops} has found since it was asked last. */
const found: string[] = []

/** Throws if sessions were stuck when their server stopped. */
export function assertNoneStuck(): void {
  const stuck = found.splice(0)
  if (stuck.length > 0) throw new Error(`stuck sessions:\n${stuck.join('\n')}`)
}

/** Looks at the sessions of every server of this process before it stops. */
function watchStops(): void {
  const { stop } = SessionManager.prototype
  SessionManager.prototype.stop = function watched(this: SessionManager, keep) {
    if (this.state === 'open') found.push(...stuckSessions(this, false))
    return stop.call(this, keep)
  }
}

watchStops()
