/** Returns the address of a server without what changes between two connections to it: key, user and query. @param wsUrl as it is dialled */
export function serverAddress(wsUrl: string): string {
  const { protocol, host, pathname } = new URL(wsUrl)
  return `${protocol}//${host}${pathname.replace(/\/+$/, '')}`
}
