import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Starts nothing by itself: PostgreSQL comes up when the first test asks for it.
    globalSetup: ['test/postgres-once.ts'],
    // Two cores: more forks only make the timed promises slower.
    pool: 'forks',
    maxWorkers: 2,
    // CI shares its machine and runs once: what fails there is tried once more, and reported as tried again.
    retry: process.env.CI ? 1 : 0,
    // Against hanging only: a promise about seconds is measured within its test.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
  },
})
