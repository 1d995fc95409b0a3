import { describe, expect, it } from 'vitest';
import { type Cell, exitCode, matrixText } from './matrix.ts';

const PASSED: Cell = {
  runtime: 'node@22',
  version: 'node 22.1.0',
  ioredis: '5.11.1',
  modules: 'ESM',
  outcome: 'passed',
  reason: null,
  seconds: 1.24,
};
const FAILED: Cell = {
  ...PASSED,
  version: null,
  modules: 'CommonJS',
  outcome: 'failed',
  reason: 'ended with exit code 1',
};
const SKIPPED: Cell = {
  ...PASSED,
  runtime: 'bun',
  version: null,
  outcome: 'skipped',
  reason: 'cannot be had',
  seconds: 0,
};

describe('the matrix of runtimes', () => {
  it('has a row for each runtime, a column for each project, and each reason once', () => {
    const cells = [PASSED, FAILED, SKIPPED, { ...SKIPPED, modules: 'CommonJS' as const }];
    expect(matrixText(cells).split('\n')).toEqual([
      'package  ran as       ioredis 5.11.1 ESM  ioredis 5.11.1 CommonJS',
      'node@22  node 22.1.0  passed, 1.2 s       FAILED',
      'bun      –            SKIPPED             SKIPPED',
      '',
      'FAILED node@22, ioredis 5.11.1 CommonJS: ended with exit code 1',
      'SKIPPED bun: cannot be had',
    ]);
  });

  it.each([
    ['all passed', [PASSED], 0, 0],
    ['one failed, and one was skipped', [PASSED, FAILED, SKIPPED], 1, 1],
    ['one was skipped', [PASSED, SKIPPED], 0, 3],
    ['nothing could run', [SKIPPED], 2, 2],
  ])('ends with the exit code for: %s', (_what, cells, code, strictCode) => {
    expect(exitCode(cells, false)).toBe(code);
    expect(exitCode(cells, true)).toBe(strictCode);
  });
});
