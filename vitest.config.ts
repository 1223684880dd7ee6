import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Starts nothing by itself: PostgreSQL comes up when the first test asks for it.
    globalSetup: ['test/postgres-once.ts'],
    // Two cores: more forks only make the timed promises slower.
    pool: 'forks',
    maxWorkers: 2,
    // Some promises are about seconds, and CI shares its machine: one that fails there is tried once more.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
