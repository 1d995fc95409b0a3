import { defineConfig } from 'vitest/config';
import { SkipReporter } from './test/skip-reporter.ts';

/** Tests that start servers and keep real time: what runs beside them would make them late. */
const REAL_TIME_TESTS = ['sim/testbed/{real,processes,containers}/**/*.test.ts', 'sim/cli/run/real-servers.test.ts'];

export default defineConfig({
  test: {
    // Suites start servers and count heap: each file gets a process of its own.
    pool: 'forks',
    testTimeout: 180_000,
    hookTimeout: 240_000,
    reporters: ['default', new SkipReporter()],
    projects: [
      {
        extends: true,
        test: {
          // Virtual time above all, and real servers where no moment has to be met.
          name: 'side by side',
          include: ['{src,sim,bench,docs,test}/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...REAL_TIME_TESTS],
          // Small machines have no more cores.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'one after another',
          include: REAL_TIME_TESTS,
          // One file after another, and after all the others.
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts', 'sim/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.conformance.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
      thresholds: { 'src/**/*.ts': { lines: 85 } },
    },
  },
});
