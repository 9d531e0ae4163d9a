import { defineServer } from '../built-in-server.js'
import { listDisks, listProcesses, machineInfo, networkInfo } from './system-tools.js'

/** The built-in server `system`: what the machine is and how it is doing. */
export const systemServer = defineServer<null>(
  'system',
  () => [machineInfo, listProcesses, listDisks, networkInfo],
  () => ({ state: null }),
)
