#!/usr/bin/env node
import { buildDeviceProgram } from './device-program.js'
import { runProgram } from './run-program.js'

await runProgram(buildDeviceProgram)
