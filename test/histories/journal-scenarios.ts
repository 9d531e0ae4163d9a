import type { CuttingProxy } from '../support/cutting-proxy.ts'

/** What a scenario acts on: a device with a journal, and the server that it dials through a proxy. */
export interface JournalWorld {
  proxy: CuttingProxy
  /** Gives the device calls of these tools, as one batch. */
  run: (...tools: string[]) => Promise<void>
  /** Settles once the journal has this many records of a type. */
  journalled: (type: string, count?: number) => Promise<void>
}

/** How the journal of a device comes about. */
export interface JournalScenario {
  name: string
  /** What it is, in one line. */
  about: string
  act: (world: JournalWorld) => Promise<void>
}

/** How every recorded journal came about, by the name of its file. */
export const JOURNAL_SCENARIOS: readonly JournalScenario[] = [
  {
    name: 'journal-acknowledged',
    about: 'Two batches, one of them with a failure and a skipped command, both acknowledged',
    act: async ({ run, journalled }) => {
      await run('quick', 'count')
      await journalled('acknowledged')
      await run('broken', 'quick')
      await journalled('acknowledged', 2)
    },
  },
  {
    name: 'journal-finished',
    about: 'A finished batch with a value stored outside of its records; its results were never acknowledged',
    act: async ({ run, journalled }) => {
      await run('cut_off', 'large')
      await journalled('finished')
    },
  },
  {
    name: 'journal-interrupted',
    about: 'A batch with one command done, one started, and one not begun',
    act: async ({ run, journalled }) => {
      await run('quick', 'hang', 'count')
      await journalled('started', 2)
    },
  },
  {
    name: 'journal-begun',
    about: 'A batch with its only command started',
    act: async ({ run, journalled }) => {
      await run('hang')
      await journalled('started')
    },
  },
  {
    name: 'journal-second-token',
    about: 'A device that came back after a lost connection and has its second token',
    act: async ({ proxy, journalled }) => {
      proxy.cut()
      await journalled('replaced')
    },
  },
]
