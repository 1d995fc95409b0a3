import { describe, expect, it } from 'vitest';
import { brokenLibrary, type Patch } from './broken-library-testing.ts';
import { worldWith } from './exhaustive-testing.ts';
import { exploreWorld } from './explore-world.ts';
import type { CheckedProperty } from './search.ts';
import { type Parts, REAL_PARTS, type WorldSettings } from './settings.ts';

/** A mistake of a Redlock library, the smallest world in which it does harm, and the harm. */
interface Mistake {
  readonly title: string;
  readonly patches: readonly Patch[];
  readonly world: Partial<WorldSettings>;
  readonly violates: CheckedProperty;
}

const MISTAKES: readonly Mistake[] = [
  {
    title: 'half of the nodes are a quorum',
    patches: [
      { file: 'quorum.ts', from: 'Math.floor(nodeCount / 2) + 1', to: 'Math.max(1, Math.floor(nodeCount / 2))' },
    ],
    world: {},
    violates: 'mutual-exclusion',
  },
  {
    title: 'a token counts without having been committed',
    patches: [
      { file: 'attempt.ts', from: 'count(place, counter === token)', to: 'count(place, counter !== null)' },
      { file: 'attempt.ts', from: 'counter === null || counter >= token', to: 'counter === null || counter >= 0' },
    ],
    world: { fencing: true, evictions: 1, clockJumps: 1 },
    violates: 'token-order',
  },
  {
    title: 'no allowance is made for clocks that drift',
    patches: [{ file: 'validity.ts', from: 'const EXPIRY_PRECISION_MS = 2;', to: 'const EXPIRY_PRECISION_MS = 0;' }],
    world: { ticks: 4, clockJumps: 2 },
    violates: 'mutual-exclusion',
  },
  {
    title: 'validity counts from the votes, not from before them',
    patches: [
      {
        file: 'attempt.ts',
        from: 'const validityMs = this.validUntilMs - this.request.environment.clock.now();',
        to: 'this.validUntilMs = validUntilMs(this.request.environment.clock.now(), this.request.ttlMs, 0); const validityMs = 1;',
      },
    ],
    world: { ticks: 4, pauses: 1 },
    violates: 'mutual-exclusion',
  },
  {
    title: 'a lock is granted although its validity is over',
    patches: [{ file: 'attempt.ts', from: 'if (!(validityMs > 0)) {', to: 'if (Number.isNaN(validityMs)) {' }],
    world: { ticks: 4, pauses: 1 },
    violates: 'mutual-exclusion',
  },
];

function explore(world: Partial<WorldSettings>, parts: Parts, keepGoing: boolean): ReturnType<typeof exploreWorld> {
  const bounds = { maxStates: 1_000_000, depth: Number.POSITIVE_INFINITY, keepGoing };
  return exploreWorld({ world: worldWith(world), bounds, parts });
}

describe.each(MISTAKES)('a library in which $title', ({ patches, world, violates }) => {
  it(`is found to violate ${violates}`, { timeout: 120_000 }, async () => {
    const { verdicts } = await explore(world, await brokenLibrary(...patches), violates !== 'mutual-exclusion');
    const violated = verdicts.filter(({ status }) => status === 'violated').map(({ property }) => property);
    expect(violated).toContain(violates);
  });

  it('keeps the property in every state once it is mended', { timeout: 120_000 }, async () => {
    const { verdicts } = await explore(world, REAL_PARTS, true);
    expect(verdicts.find(({ property }) => property === violates)).toEqual({ property: violates, status: 'ok' });
  });
});

it('a patch that does not fit is an error', async () => {
  const patch = { file: 'quorum.ts', from: 'no such text', to: '' };
  await expect(brokenLibrary(patch)).rejects.toThrow('src/quorum.ts does not contain: no such text');
});
