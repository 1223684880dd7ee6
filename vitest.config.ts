import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Starts nothing by itself: PostgreSQL comes up when the first test asks for it.
    globalSetup: ['test/postgres-once.ts'],
    // Two cores: more forks only make the timed promises slower.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
