import { z } from 'zod'

/** State of the server, for existing peers. */
export const Health = z.object({ status: z.literal('healthy'), online_clients: z.array(z.string()) })
/** The ids of the clients that are online. */
export const Clients = z.object({ online_clients: z.array(z.string()) })
/** Whether the process answers. */
export const Liveness = z.object({ status: z.literal('ok') })
/** Whether the server accepts work. */
export const Readiness = z.object({ status: z.enum(['ok', 'stopping']) })
