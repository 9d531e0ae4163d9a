import { defineConfig } from 'vitest/config'

export default defineConfig({
  ssr: { resolve: { conditions: ['orrery-source', 'module', 'node', 'default'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    // Tests bring their own servers, ports and folders, so they can share a process: ten times faster than with isolation.
    isolate: false,
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
})
