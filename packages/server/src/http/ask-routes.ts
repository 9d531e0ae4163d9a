import { Ask, AskAnswer, AskList } from '@orrery/aip/api'
import { z } from 'zod'
import type { App, HttpContext } from './context.js'

/** Calls that wait for permission: those of devices whose owner lets operators answer. */
export function askRoutes(app: App, { asks }: HttpContext): void {
  app.get('/api/asks', { schema: { summary: 'Calls that wait for permission', response: { 200: AskList } } }, () => ({
    asks: asks.list(),
  }))

  app.post(
    '/api/asks/:id',
    {
      schema: {
        summary: 'Allows or denies a call that waits, once',
        params: z.object({ id: z.string() }),
        body: AskAnswer,
        response: { 200: Ask },
      },
    },
    ({ params, body }) => asks.answer(params.id, body.decision, 'operator'),
  )
}
