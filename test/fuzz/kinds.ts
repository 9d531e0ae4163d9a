import type { MakeAttack } from './attack.ts'
import { framesAfter, framesBefore } from './frames-attack.ts'
import { hostileMcp } from './hostile-mcp-attack.ts'
import { hostileModel } from './hostile-model-attack.ts'
import { hostileServer } from './hostile-server-attack.ts'
import { httpRequests } from './http-attack.ts'

/** The kinds of attack by the names of `--only`. */
export const KINDS: Readonly<Record<string, MakeAttack>> = {
  'frames-before': framesBefore,
  'frames-after': framesAfter,
  http: httpRequests,
  server: hostileServer,
  mcp: hostileMcp,
  model: hostileModel,
}
