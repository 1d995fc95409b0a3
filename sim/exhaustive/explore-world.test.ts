import { describe, expect, it } from 'vitest';
import { worldWith } from './exhaustive-testing.ts';
import {
  type ExhaustiveResult,
  type ExhaustiveVerdict,
  exploreWorld,
  replayTrail,
  type SearchCounts,
} from './explore-world.ts';
import type { Bounds } from './search.ts';
import type { WorldSettings } from './settings.ts';
import { parseStep } from './steps.ts';

const TIMEOUT = { timeout: 120_000 };

function explore(changes: Partial<WorldSettings>, bounds: Partial<Bounds> = {}): Promise<ExhaustiveResult> {
  return exploreWorld({
    world: worldWith(changes),
    bounds: { maxStates: 2_000_000, depth: Number.POSITIVE_INFINITY, keepGoing: true, ...bounds },
  });
}

function statusesOf({ verdicts }: ExhaustiveResult): Record<string, ExhaustiveVerdict['status']> {
  return Object.fromEntries(verdicts.map(({ property, status }) => [property, status]));
}

describe('inside the envelope', () => {
  it.each<[string, Partial<WorldSettings>]>([
    ['three clients', { clients: 3 }],
    ['five nodes', { nodes: 5 }],
    ['time', { ticks: 4 }],
    ['a pause', { ticks: 3, pauses: 1 }],
    ['a crash of a node that remembers', { crashes: 1 }],
    ['a crash of a node that comes back after the longest lease', { ticks: 3, crashes: 1, restart: 'delayed' }],
    ['a clock that jumps by less than the drift allowance', { ticks: 3, clockJumps: 1 }],
  ])('%s: the lock is never shared', TIMEOUT, async (_name, changes) => {
    const result = await explore(changes);
    expect(result.ending).toBe('exhausted');
    expect(statusesOf(result)).toEqual({
      'mutual-exclusion': 'ok',
      'token-order': 'unknown',
      'release-safety': 'ok',
    });
  });

  it.each<[string, Partial<WorldSettings>]>([
    ['three clients', { clients: 3 }],
    ['time', { ticks: 1 }],
    ['a wall clock that jumps', { clockJumps: 1 }],
    ['a crash, and a wall clock that jumps', { crashes: 1, clockJumps: 1 }],
  ])('%s: tokens are in order', TIMEOUT, async (_name, changes) => {
    const result = await explore({ fencing: true, ...changes });
    expect(result.ending).toBe('exhausted');
    expect(statusesOf(result)).toEqual({ 'mutual-exclusion': 'ok', 'token-order': 'ok', 'release-safety': 'ok' });
  });
});

describe('outside the envelope', () => {
  it('a node that forgets lets two clients hold the lock: a shortest way is told step by step', TIMEOUT, async () => {
    const world = { crashes: 1, restart: 'amnesiac' } as const;
    const { ending, verdicts } = await explore(world, { keepGoing: false });
    expect(ending).toBe('violated');
    const [verdict] = verdicts;
    if (verdict?.status !== 'violated') throw new Error('mutual exclusion is not violated');
    const { steps, story, finding } = verdict.counterexample;
    // Two clients call; each has two votes, which are run and told; the node that votes twice crashes and restarts.
    expect(steps).toHaveLength(12);
    expect(story).toHaveLength(12);
    expect(story.join('\n')).toMatch(/crashes\n.*restarts, without a key\n/);
    expect(finding).toMatch(/^On "r", lease 2 of B was valid from .* both of them for/);
    const codes = steps.map((step) => parseStep(step) ?? -1);
    const replay = await replayTrail(worldWith(world), codes);
    expect(replay).toEqual({ story, impossible: [], findings: [{ property: 'mutual-exclusion', finding }] });
    const withoutLast = await replayTrail(worldWith(world), codes.slice(0, -1));
    expect(withoutLast.findings).toEqual([]);
  });

  it('a clock that jumps too far lets two clients hold the lock', TIMEOUT, async () => {
    const result = await explore({ ticks: 3, ttlTicks: 4, clockJumps: 1, jumpTicks: 3 }, { keepGoing: false });
    expect(statusesOf(result)['mutual-exclusion']).toBe('violated');
  });

  it('keys that vanish let clients share the lock, and leave the tokens in order', TIMEOUT, async () => {
    const result = await explore({ fencing: true, evictions: 1 });
    expect(statusesOf(result)).toEqual({ 'mutual-exclusion': 'violated', 'token-order': 'ok', 'release-safety': 'ok' });
  });

  it('lost counters put tokens out of order where wall clocks went back too', TIMEOUT, async () => {
    const lost = { fencing: true, crashes: 2, restart: 'amnesiac' } as const;
    const result = await explore({ ...lost, clockJumps: 1 });
    expect(statusesOf(result)['token-order']).toBe('violated');
  });
});

describe('bounds', () => {
  it('proves nothing when it is cut off', async () => {
    const byStates = await explore({ clients: 3 }, { maxStates: 100 });
    expect(byStates.ending).toBe('cut by max-states');
    expect(byStates.states).toBeGreaterThanOrEqual(100);
    const byDepth = await explore({}, { depth: 5 });
    expect(byDepth).toMatchObject({ ending: 'cut by depth', depth: 5 });
    for (const { verdicts } of [byStates, byDepth]) {
      expect(verdicts.map(({ status }) => status)).toEqual(['unknown', 'unknown', 'unknown']);
    }
  });

  it('stops when it is told to, and says so', async () => {
    const controller = new AbortController();
    const result = await exploreWorld({
      world: worldWith({ clients: 3 }),
      bounds: { maxStates: 2_000_000, depth: Number.POSITIVE_INFINITY, keepGoing: false },
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    expect(result.ending).toBe('interrupted');
    expect(result.verdicts.map(({ status }) => status)).toEqual(['unknown', 'unknown', 'unknown']);
  });

  it('lets others have their turn in the middle of a state, and comes to the same', TIMEOUT, async () => {
    const world = worldWith({ fencing: true });
    const bounds = { maxStates: 2_000_000, depth: Number.POSITIVE_INFINITY, keepGoing: true };
    const whole = await exploreWorld({ world, bounds, nowMs: () => 0 });
    let nowMs = 0;
    const turns: SearchCounts[] = [];
    const sliced = await exploreWorld({
      world,
      bounds,
      // Whenever the clock is looked at, the time is over.
      nowMs: () => (nowMs += 1000),
      onProgress: (counts) => turns.push(counts),
    });
    expect(sliced).toEqual(whole);
    const told = turns.map(({ libraryInputs }, turn) => libraryInputs - (turns[turn - 1]?.libraryInputs ?? 0));
    // A client is told all over again what brought it where it is, twice at the most, and one thing more.
    expect(Math.max(...told)).toBeLessThan(30);
    // One of the states takes hundreds of that, to find out whether a client is done.
    const ofState = new Map<number, number>();
    for (const { states } of turns) ofState.set(states, (ofState.get(states) ?? 0) + 1);
    expect(Math.max(...ofState.values())).toBeGreaterThan(100);
  });

  it('visits the same states every time', async () => {
    expect(await explore({ fencing: true })).toEqual(await explore({ fencing: true }));
  });
});
