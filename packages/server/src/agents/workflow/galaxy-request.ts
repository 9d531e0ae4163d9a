/** The form in which existing constellation clients give each task to a device (galaxy reference, chapter 3). */
const TASK = /^\s*Task Description:\s*(workflow:[\s\S]*?)\s*(?:\nTips for Completion:[\s\S]*)?$/

/** Returns the call of a workflow that a request of an existing constellation client is about; any other request as it is. */
export function withoutGalaxyForm(request: string): string {
  return TASK.exec(request)?.[1] ?? request
}
