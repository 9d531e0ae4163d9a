/** How the reader of a hint can call this program: by its name, or through npm when it was started from a checkout. */
export function orrery(args: string): string {
  const fromCheckout = process.env['npm_package_name'] === 'orrery-workspace' && process.env['npm_lifecycle_event'] !== undefined
  return `${fromCheckout ? 'npx orrery' : 'orrery'} ${args}`
}
