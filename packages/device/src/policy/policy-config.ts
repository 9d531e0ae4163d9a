import { z } from 'zod'
import { DEVICE_LIMITS } from '../limits.js'
import { hasTooManyAlternatives } from '../paths/glob.js'

/** What a rule does with the calls that it matches. */
export const PolicyAction = z.enum(['allow', 'ask', 'deny'])
export type PolicyAction = z.infer<typeof PolicyAction>

const nonEmpty = z.string().min(1)

/** One rule. A call matches if everything that is given matches; a rule that gives nothing matches every call. */
export const PolicyRule = z.strictObject({
  /** Name of the tool, e.g. `execute_command`; `*` stands for any characters. */
  tool: nonEmpty.optional(),
  /** Name of the MCP server that has the tool; `*` stands for any characters. */
  server: nonEmpty.optional(),
  /** The program and its arguments. `*` in a word stands for any characters, `**` as a word for any number of words. */
  argv: z.array(z.string()).min(1).optional(),
  /** A path; `*` stands for any characters but `/`, `**` for any folders, `{a,b}` for either. Relative ones start in the start folder, `~/` at home. */
  path: nonEmpty
    .refine((path) => !hasTooManyAlternatives(path), {
      error: `its braces stand for more than ${DEVICE_LIMITS.patternAlternatives} alternatives, write several rules instead`,
    })
    .optional(),
  /** A host that the call connects to, e.g. `*.example.com`, with `:port` if only that is meant. */
  host: nonEmpty.optional(),
  do: PolicyAction,
})
export type PolicyRule = z.infer<typeof PolicyRule>

/** Who may answer an ask: the person at the device's terminal, or an operator of the server. */
export const Approver = z.enum(['terminal', 'server'])
export type Approver = z.infer<typeof Approver>

/** The settings of a policy. */
export const PolicySettings = z.strictObject({
  /** Tried in order: the first that matches decides. */
  rules: z.array(PolicyRule).default([]),
  approvers: z.array(Approver).default(['terminal']),
  /** Seconds after which an unanswered ask is denied. */
  ask_timeout_s: z.number().min(1).max(3600).default(120),
})

/** The key `policy` of `device.jsonc`: the settings, or the list of rules alone. */
export const PolicyConfig = z.preprocess(
  (value) => (Array.isArray(value) ? { rules: value } : value),
  PolicySettings.prefault({}),
)
export type PolicyConfig = z.infer<typeof PolicyConfig>
