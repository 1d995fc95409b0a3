import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { replayCommand, replaySeed } from './replay.ts';

describe('replaySeed', () => {
  it.each([
    [{}, null],
    [{ DISTRILOCK_SEED: '' }, null],
    [{ DISTRILOCK_SEED: '0' }, 0],
    [{ DISTRILOCK_SEED: '17' }, 17],
  ])('of %o is %o', (environment, seed) => {
    expect(replaySeed(environment)).toBe(seed);
  });

  it.each(['1e3', '-1', ' 1', '0x10', '9007199254740993'])('refuses %o', (text) => {
    expect(() => replaySeed({ DISTRILOCK_SEED: text })).toThrow(RangeError);
  });
});

describe('replayCommand', () => {
  it('names the seed, the file and the test, each as one word of a shell', () => {
    const testPath = join(process.cwd(), 'own tests', 'lock.test.ts');
    expect(replayCommand({ testPath, currentTestName: "locks > don't (ever) break" }, 5)).toBe(
      String.raw`DISTRILOCK_SEED=5 npx vitest run 'own tests/lock.test.ts' -t 'locks( >)? don'\''t \(ever\) break'`,
    );
  });

  it('names what it knows', () => {
    expect(replayCommand({}, null)).toBe('npx vitest run');
  });
});
