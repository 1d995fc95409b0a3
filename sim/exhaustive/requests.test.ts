import { describe, expect, it } from 'vitest';
import { worldWith } from './exhaustive-testing.ts';
import { exploreWorld, type ExhaustiveResult } from './explore-world.ts';
import { probe } from './probe-testing.ts';
import { bitOf, missingIn, RETRY } from './requests.ts';
import { type Parts, REAL_PARTS, type WorldSettings } from './settings.ts';
import { STEP_KINDS } from './steps.ts';

const EVERYTHING = STEP_KINDS.reduce((bits, kind) => bits | bitOf(kind), RETRY);

function explore(changes: Partial<WorldSettings>, parts: Parts = REAL_PARTS): Promise<ExhaustiveResult> {
  return exploreWorld({
    world: worldWith({ nodes: 1, ...changes }),
    bounds: { maxStates: 2_000_000, depth: Number.POSITIVE_INFINITY, keepGoing: true },
    parts,
  });
}

describe('what was asked for', () => {
  it.each<[Partial<WorldSettings>, number, RegExp]>([
    [{ crashes: 1 }, bitOf('crash'), /^no node crashed$/],
    [{ crashes: 1 }, bitOf('restart'), /^no node came back/],
    [{ pauses: 1 }, bitOf('pause'), /^no client was paused/],
    [{ clockJumps: 1 }, bitOf('jump') | bitOf('clock-back') | bitOf('clock-ahead'), /^no clock that jumped/],
    [{ evictions: 1 }, bitOf('evict'), /^no key vanished$/],
    [{ retries: 1 }, RETRY, /^no acquire was tried again/],
    [{ extensions: 1 }, bitOf('extend'), /^no lock was extended$/],
  ])('%j is missing if it alone did not happen, and was asked for', (changes, bits, missing) => {
    expect(missingIn(worldWith(changes), EVERYTHING & ~bits)).toEqual([expect.stringMatching(missing)]);
    expect(missingIn(worldWith(changes), EVERYTHING)).toEqual([]);
    expect(missingIn(worldWith({}), EVERYTHING & ~bits)).toEqual([]);
  });

  it('is there if clocks of one kind jumped', () => {
    for (const kind of ['jump', 'clock-back', 'clock-ahead'] as const) {
      expect(missingIn(worldWith({ clockJumps: 1 }), bitOf(kind))).toEqual([]);
    }
  });
});

describe('a world in which something that was asked for', () => {
  /** Each with the least that lets it happen. */
  const TOO_LITTLE: readonly (readonly [string, Partial<WorldSettings>, Partial<WorldSettings>, RegExp])[] = [
    ['a pause', { pauses: 1, ticks: 1 }, { ticks: 2 }, /^no client was paused/],
    ['a delayed restart', { crashes: 1, restart: 'delayed', ticks: 2 }, { ticks: 3 }, /^no node came back/],
    ['a clock jump', { clockJumps: 1, ticks: 1 }, { ticks: 2 }, /^no clock that jumped/],
    [
      'a clock jump that is far enough',
      { clockJumps: 1, ttlTicks: 6, ticks: 3, jumpTicks: 2 },
      { jumpTicks: 3 },
      /^no clock/,
    ],
    ['a clock jump without fencing', { clockJumps: 1 }, { fencing: true }, /^no clock that jumped/],
    ['a retry', { retries: 1, clients: 2 }, { ticks: 1 }, /^no acquire was tried again/],
  ];

  it.each(TOO_LITTLE)(
    'cannot happen (%s) proves nothing, although every state was visited',
    async (_what, little, enough, missing) => {
      const result = await explore(little);
      expect(result.ending).toBe('exhausted');
      expect(result.missing).toEqual([expect.stringMatching(missing)]);
      for (const { property, ...verdict } of result.verdicts) {
        expect(verdict).toEqual({
          status: 'unknown',
          reason: property === 'token-order' ? 'the world is without fencing tokens' : result.missing[0],
        });
      }
      const { missing: nothing, verdicts } = await explore({ ...little, ...enough });
      expect(nothing).toEqual([]);
      expect(verdicts.filter(({ property }) => property !== 'token-order').map(({ status }) => status)).not.toContain(
        'unknown',
      );
    },
  );

  it('needs keys, and there is none, proves nothing', async () => {
    const without = probe((session) => ({ onAcquire: () => session.sendAll('release') }));
    const { missing } = await explore({ evictions: 1, clockJumps: 1, ticks: 4 }, without);
    expect(missing).toEqual([
      expect.stringMatching(/^no clock that jumped/),
      expect.stringMatching(/^no key vanished/),
    ]);
    const withKeys = probe((session) => ({ onAcquire: () => session.sendAll('acquire') }));
    expect((await explore({ evictions: 1, clockJumps: 1, ticks: 4 }, withKeys)).missing).toEqual([]);
  });

  it('cannot happen is violated all the same where something is', async () => {
    const { verdicts, missing } = await explore({ crashes: 1, restart: 'amnesiac', pauses: 1 });
    expect(missing).toHaveLength(1);
    expect(verdicts.map(({ status }) => status)).toEqual(['violated', 'unknown', 'unknown']);
  });
});
