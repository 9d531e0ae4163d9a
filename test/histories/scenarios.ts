import type { Scenario } from './scenario.ts'
import { AGENTS } from './scenarios/agents.ts'
import { COMMANDS } from './scenarios/commands.ts'
import { REQUESTERS } from './scenarios/requesters.ts'

/** How every recorded session came about, by the name of its file. */
export const SCENARIOS: readonly Scenario[] = [...COMMANDS, ...AGENTS, ...REQUESTERS]
