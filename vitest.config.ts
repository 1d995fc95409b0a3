import { defineConfig } from 'vitest/config';
import { SkipReporter } from './test/skip-reporter.ts';

export default defineConfig({
  test: {
    include: ['{src,sim,bench,docs,test}/**/*.test.ts'],
    // Suites start servers and count heap: each file gets a process of its own, and no more of them than small machines have cores.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default', new SkipReporter()],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts', 'sim/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.conformance.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
      thresholds: { 'src/**/*.ts': { lines: 85 } },
    },
  },
});
