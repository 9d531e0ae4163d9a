/** Returns how the reader of a hint can call this program: by its name, or from the checkout in which it was started. */
export function orrery(args: string): string {
  return `${isCheckout() ? './orrery' : 'orrery'} ${args}`
}

/** Returns whether this program was started from a checkout: by its `./orrery`, or by one of its npm scripts. */
function isCheckout(): boolean {
  if (process.env['ORRERY_INVOKED_AS'] === './orrery') return true
  return process.env['npm_package_name'] === 'orrery-workspace' && process.env['npm_lifecycle_event'] !== undefined
}
