import { z } from 'zod'

/** Where the stream of the fleet was when a list was read: what changes after it comes from `GET /api/events?since=`. Opaque. */
export const Position = z.string().default('').describe('From here GET /api/events continues without a gap; opaque')
