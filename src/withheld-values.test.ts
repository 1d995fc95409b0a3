import { describe, expect, it } from 'vitest';
import type { AcquireCommand, ExtendCommand, ReleaseCommand } from './lock-node.ts';
import { WithheldValues } from './withheld-values.ts';

const TIMES = { ttlMs: 1000, timeoutMs: 100 };

function acquireOf(value: string, key = 'r', fresh = true): AcquireCommand {
  return { kind: 'acquire', key, value, ...TIMES, fresh, tokenHint: null, guard: null };
}

function extendOf(value: string, key = 'r'): ExtendCommand {
  return { kind: 'extend', key, value, ...TIMES };
}

function releaseOf(value: string, key = 'r'): ReleaseCommand {
  return { kind: 'release', key, value, timeoutMs: 100 };
}

describe('values that a node was not sent', () => {
  it('need not be extended nor deleted there, each under its own key, until they are forgotten', () => {
    const withheld = new WithheldValues();
    expect(withheld.cover(releaseOf('a'))).toBe(false);
    withheld.note(acquireOf('a'));
    withheld.note(acquireOf('b'));
    expect([releaseOf('c'), releaseOf('a', 's'), extendOf('a', 's')].map((each) => withheld.cover(each))).toEqual([
      false,
      false,
      false,
    ]);
    expect([extendOf('a'), extendOf('a'), releaseOf('a')].map((each) => withheld.cover(each))).toEqual([
      true,
      true,
      true,
    ]);
    expect([releaseOf('a'), extendOf('a')].map((each) => withheld.cover(each))).toEqual([false, false]);
    withheld.forgetAll();
    expect(withheld.cover(releaseOf('b'))).toBe(false);
  });

  it('are not those that somebody used before, for these may be there all the same', () => {
    const withheld = new WithheldValues();
    withheld.note(acquireOf('a', 'r', false));
    expect(withheld.cover(releaseOf('a'))).toBe(false);
  });

  it('are not remembered without end', () => {
    const withheld = new WithheldValues();
    for (let count = 0; count <= 10_000; count += 1) withheld.note(acquireOf(`v${count}`));
    expect(withheld.cover(releaseOf('v9999'))).toBe(true);
    expect(withheld.cover(releaseOf('v10000'))).toBe(false);
  });
});
