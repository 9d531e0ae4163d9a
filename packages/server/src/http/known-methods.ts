import { ROUTES, ROUTE_NAMES } from '@orrery/aip/api'

const PATHS = ROUTE_NAMES.map((name) => {
  const { method, path } = ROUTES[name]
  return { method, pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}/?$`) }
})

/** Returns the methods that a path supports; none if there is no such path. @param path without its query */
export function knownMethods(path: string): string[] {
  const methods = PATHS.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
}
