import { sleep } from '@orrery/aip'
import { z } from 'zod'
import type { ShellMode } from '../../policy/shell-policy.js'
import { characterEnd } from '../character-end.js'
import type { CallEffects } from '../../policy/call-effects.js'
import { argvThatRan } from '../failing-program.js'
import { defineTool, type DefinedTool, type ToolHints } from '../define-tool.js'
import { COMMAND_INPUT, commandEffects, readyCommand } from './command-request.js'
import type { Job } from './jobs.js'
import { SHELL_LIMITS } from './limits.js'
import { commandHints, startError, whatRuns } from './run-command.js'
import type { ShellState } from './shell-state.js'
import { inTerminal } from './terminal.js'
import { deviceError } from '../../errors.js'

const LOOKS: ToolHints = { readOnlyHint: true, destructiveHint: false, idempotentHint: true }
const NOTHING = (): Record<string, never> => ({})
/** What is done to a job was allowed with its start. */
const OWN_JOB = (): CallEffects => ({ ownJob: true })
const JOB_ID = z.string().describe('The id that start_job gave')

const JobInfo = z.object({
  job_id: z.string(),
  command: z.string(),
  state: z.enum(['running', 'ended']),
  exit_code: z.number().int().nullable().describe('null while it runs, and when a signal ended it'),
  signal: z.string().nullable().describe('The signal that ended it'),
  error: z.string().nullable().describe('Why its end was a failure'),
  terminal: z.boolean(),
  started: z.string().describe('ISO 8601, UTC'),
  output_bytes: z.number(),
})

function infoOf(job: Job): z.infer<typeof JobInfo> {
  return {
    job_id: job.id,
    command: job.command,
    state: job.end === null ? 'running' : 'ended',
    exit_code: job.end?.code ?? null,
    signal: job.end?.signal ?? null,
    error: job.failure,
    terminal: job.terminal,
    started: new Date(job.startedAt).toISOString(),
    output_bytes: job.output.size,
  }
}

/** `start_job`: a program in the background. */
export function startJob(shell: ShellMode): DefinedTool<ShellState> {
  return defineTool({
    name: 'start_job',
    title: 'Start a job',
    description:
      'Starts a program in the background and gives its job_id at once. read_output gives what it prints, send_input what it reads, ' +
      `stop_job ends it; it ends with the device too. ${whatRuns(shell)} With terminal it believes to have a screen, as shells, editors and progress bars want.`,
    hints: commandHints(shell),
    input: z.object({ ...COMMAND_INPUT, terminal: z.boolean().default(false).describe('Run it in a pseudo-terminal') }),
    output: JobInfo,
    describeCall: (args, place) => ({ ...commandEffects(args, place), takesInput: true }),
    run: async (args, { context, jobs }: ShellState) => {
      const command = await readyCommand(context, args)
      const ready = args.terminal ? await inTerminal(command) : command
      const shown = args.line ?? [args.program, ...args.args].join(' ')
      return infoOf(
        await jobs
          .start({ ...ready, argv: argvThatRan(args, shell) }, shown, args.terminal)
          .catch((error: unknown) => Promise.reject(startError(command.file, error))),
      )
    },
  })
}

/** `list_jobs`: what runs in the background. */
export const listJobs = defineTool({
  name: 'list_jobs',
  title: 'List jobs',
  description: 'The jobs that start_job has started, those that have ended too, in the order of their start.',
  hints: LOOKS,
  input: z.object({}),
  output: z.object({ jobs: z.array(JobInfo) }),
  describeCall: NOTHING,
  run: async (_args, { jobs }: ShellState) => ({ jobs: jobs.all.map(infoOf) }),
})

/** `read_output`: what a job or a command has printed. */
export const readOutput = defineTool({
  name: 'read_output',
  title: 'Read an output',
  description:
    'Gives what a job has printed since an offset, or the whole of a long output that run_command has cut. ' +
    'Continue with next_offset. With wait_ms it waits for more, or for the end of the job, if there is nothing new.',
  hints: LOOKS,
  input: z.object({
    id: z.string().describe('A job_id, or the stdout_id or stderr_id of run_command'),
    offset: z.number().int().min(0).default(0).describe('First byte to read'),
    limit: z.number().int().min(4).max(SHELL_LIMITS.readMost).default(SHELL_LIMITS.read).describe('Bytes to read at most'),
    wait_ms: z.number().int().min(0).max(SHELL_LIMITS.wait).default(0).describe('Milliseconds to wait for more'),
    encoding: z.enum(['utf-8', 'base64']).default('utf-8'),
  }),
  output: z.object({
    content: z.string(),
    next_offset: z.number(),
    size: z.number().describe('Bytes that can be read now'),
    dropped: z.number().describe('Bytes that are lost, because the output was too long'),
    running: z.boolean().describe('More may come'),
    exit_code: z.number().int().nullable(),
    signal: z.string().nullable().describe('The signal that ended the job'),
    error: z.string().nullable().describe('Why the end of the job was a failure'),
  }),
  describeCall: NOTHING,
  run: async (args, { context, outputs, jobs }: ShellState, signal) => {
    const output = outputs.get(args.id)
    const job = jobs.find(args.id)
    const runs = (): boolean => job !== undefined && job.end === null
    if (args.wait_ms > 0 && output.size <= args.offset && runs()) {
      const over = new AbortController()
      await Promise.race([output.changed, sleep(context.clock, args.wait_ms, AbortSignal.any([signal, over.signal]))])
      over.abort()
    }
    const running = runs()
    const bytes = await output.read(args.offset, args.limit)
    // A character of which only the start is there yet is left for the next read, unless nothing follows.
    const end =
      args.encoding === 'utf-8' && (running || args.offset + bytes.length < output.size) ? characterEnd(bytes) : bytes.length
    return {
      content: bytes.subarray(0, end).toString(args.encoding),
      next_offset: args.offset + end,
      size: output.size,
      dropped: output.dropped,
      running,
      exit_code: job?.end?.code ?? null,
      signal: job?.end?.signal ?? null,
      error: job?.failure ?? null,
    }
  },
})

/** `send_input`: what a job reads. */
export function sendInput(shell: ShellMode): DefinedTool<ShellState> {
  return defineTool({
    name: 'send_input',
    title: 'Send input to a job',
    description:
      'Writes to the standard input of a job; end a line with \\n. With end, the input is closed afterwards. ' +
      'In a pseudo-terminal control characters work: \\u0003 is Ctrl-C, \\u0004 is Ctrl-D.',
    // What the input does is a matter of the program; starting that was decided about when the job was started.
    hints: { ...commandHints(shell), openWorldHint: true },
    input: z.object({
      job_id: JOB_ID,
      text: z.string().max(SHELL_LIMITS.input).default(''),
      end: z.boolean().default(false).describe('Close the input'),
    }),
    output: z.object({ bytes: z.number() }),
    describeCall: OWN_JOB,
    run: async ({ job_id: id, text, end }, { jobs }: ShellState) => {
      const job = jobs.get(id)
      const { stdin } = job.group.child
      if (job.end !== null || stdin === null || !stdin.writable) throw deviceError('JOB_ENDED', { id })
      await new Promise<void>((resolve, reject) => {
        const done = (error?: Error | null): void => (error ? reject(error) : resolve())
        if (end) stdin.end(text, () => done())
        else stdin.write(text, done)
      })
      return { bytes: Buffer.byteLength(text) }
    },
  })
}

/** `stop_job`: the end of a job. */
export const stopJob = defineTool({
  name: 'stop_job',
  title: 'Stop a job',
  description:
    'Ends a job and all that it has started: politely first, by force after two seconds. What it has printed stays readable.',
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  input: z.object({ job_id: JOB_ID }),
  output: JobInfo,
  describeCall: OWN_JOB,
  run: async ({ job_id: id }, { jobs }: ShellState) => {
    const job = jobs.get(id)
    if (job.end === null) await job.group.end()
    await job.group.ended
    return infoOf(job)
  },
})
