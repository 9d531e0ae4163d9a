import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ROUTES, ROUTE_NAMES, Session, type Route } from '../src/api/index.js'
import { defineRoute, json } from '../src/api/route.js'

const routes = ROUTE_NAMES.map((name): { name: string; route: Route } => ({ name, route: ROUTES[name] }))

describe('the table of routes', () => {
  it('has no two routes with one method and path, whatever their parameters are called', () => {
    const places = routes.map(({ route }) => `${route.method} ${route.path.replaceAll(/:\w+/g, ':')}`)
    expect(places.filter((place, index) => places.indexOf(place) !== index)).toEqual([])
  })

  it.each(routes)('$name says what it does, as a verb without a full stop', ({ route }) => {
    expect(route.doc).toMatch(/^[A-Z]\w*s .*[^.]$/)
  })

  it.each(routes)('$name describes what is in its path', ({ route }) => {
    const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name)
    expect(Object.keys(route.params ?? {})).toEqual(names)
    for (const parameter of Object.values(route.params ?? {})) expect(parameter.description).toBeTruthy()
  })

  it('has a body on no route that only reads', () => {
    expect(routes.filter(({ route }) => route.method === 'GET' && route.body !== undefined)).toEqual([])
  })

  it('lets in without a key only probes and who fetches the package for devices', () => {
    expect(routes.filter(({ route }) => route.right === 'open').map(({ route }) => route.path)).toEqual([
      '/orrery-device.tgz',
      '/healthz',
      '/readyz',
    ])
  })
})

describe('a route', () => {
  const route = { method: 'GET', path: '/x/:id', right: 'read', doc: 'Returns x', answer: json(Session) } as const

  it('without a right does not compile', () => {
    const { right: _, ...rest } = route
    // @ts-expect-error it has no right
    defineRoute({ ...rest, params: { id: z.string() } })
  })

  it('with a parameter that is not described does not compile', () => {
    // @ts-expect-error `id` is not described
    defineRoute(route)
    // @ts-expect-error `value` is not described
    defineRoute({ ...route, path: '/x/:id/:value', params: { id: z.string() } })
    // @ts-expect-error there is no parameter
    defineRoute({ ...route, path: '/x', params: { id: z.string() } })
    expect(defineRoute({ ...route, params: { id: z.string() } })).toMatchObject(route)
  })
})
