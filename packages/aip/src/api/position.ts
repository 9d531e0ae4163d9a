import { z } from 'zod'

/** The position of the fleet's stream when a list was read: `GET /api/events?since=` sends what changes after it. Opaque. */
export const Position = z.string().default('').describe('GET /api/events?since= continues from here without a gap; opaque')
