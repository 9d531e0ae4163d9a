import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** The files of one project: those with its suffix, for example `readme.process.test.ts`. */
function filesOf(suffix: string): string[] {
  return ['packages/*/test', 'test'].map((folder) => `${folder}/**/*.${suffix}test.ts`)
}

// What installs packages runs only in CI, or when a word of the command line names it: `vitest run --project system`.
const installs = (process.env['CI'] ?? '') !== '' || process.argv.slice(2).some((word) => /\bsystem\b/.test(word))

export default defineConfig({
  ssr: { resolve: { conditions: ['orrery-source', 'module', 'node', 'default'] } },
  test: {
    // Tests bring their own servers, ports and folders, so they can share a process: ten times faster than with isolation.
    isolate: false,
    pool: 'forks',
    // Most of the time a test waits for a process, a disk or a timer, so more workers than cores are faster.
    maxWorkers: Math.max(4, availableParallelism()),
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: filesOf(''),
          exclude: ['process.', 'system.', 'faults.'].flatMap(filesOf),
          testTimeout: 60_000,
        },
      },
      { extends: true, test: { name: 'process', include: filesOf('process.'), testTimeout: 120_000 } },
      { extends: true, test: { name: 'faults', include: filesOf('faults.'), testTimeout: 120_000 } },
      ...(installs
        ? [{ extends: true as const, test: { name: 'system', include: filesOf('system.'), testTimeout: 180_000 } }]
        : []),
    ],
  },
})
