import { z } from 'zod'

/** Body of an error of the HTTP API. */
export const ApiError = z
  .object({
    detail: z.string().describe('One line that a user can act on'),
    code: z.string().describe('The code for programs; see errors.md'),
  })
  .meta({ id: 'ApiError', description: 'An error of the HTTP API' })
export type ApiError = z.infer<typeof ApiError>
