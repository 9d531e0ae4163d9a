import { render, type Scope, type WorkflowStep } from '@orrery/graph'
import type { FileCopy, FilePlace } from '../agent.js'
import { STRICT } from './step-command.js'

/**
 * Returns the copy of a step with `uses: cp`.
 * @param deviceId the device of the session, on which paths without a device are
 * @throws Error if an expression cannot be evaluated or gives no path
 */
export function stepCopy(step: WorkflowStep, scope: Scope, deviceId: string): FileCopy {
  const place = (key: 'from' | 'to'): FilePlace => {
    const word = render(step.with[key], scope, STRICT)
    if (typeof word !== 'string') throw new TypeError(`'${key}' must be a path, or DEVICE:PATH`)
    if (scope.secretMark !== undefined && word.includes(scope.secretMark)) throw new Error(`'${key}' cannot contain a secret`)
    return placeOf(word, deviceId)
  }
  return { from: place('from'), to: place('to'), overwrite: render(step.with['overwrite'], scope, STRICT) === true }
}

/** As with scp, a colon after a slash is part of the path, and so is that of a drive. */
function placeOf(word: string, deviceId: string): FilePlace {
  const colon = word.indexOf(':')
  if (colon < 0 || /[\\/]/.test(word.slice(0, colon)) || /^[A-Za-z]:[\\/]/.test(word)) return { device: deviceId, path: word }
  return { device: colon === 0 ? deviceId : word.slice(0, colon), path: word.slice(colon + 1) }
}
