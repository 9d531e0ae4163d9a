#!/usr/bin/env node
import { buildProgram } from './program.js'
import { runProgram } from './run-program.js'

await runProgram(buildProgram)
