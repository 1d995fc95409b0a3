import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryLog } from '../history/history-log.ts';
import { arbitraryHistory } from './arbitrary-history.ts';
import { HistoryBuilder, indexesOf } from './history-builder.ts';
import { checkMutualExclusion } from './mutual-exclusion.ts';

const property = 'mutual-exclusion';
const WALL = { clock: 'wall', rate: 1 } as const;
const ON_WALL_CLOCKS = { clocks: { A: WALL, B: WALL, C: WALL } };

describe('mutual exclusion is violated', () => {
  it('when a lock is granted while another lease on it is valid', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', grantedMs: 10, untilMs: 110 });
    run.grant({ client: 'B', grantedMs: 60, untilMs: 160 });
    const history = run.build();
    expect(checkMutualExclusion(history)).toEqual({
      property,
      status: 'violated',
      count: 1,
      violations: [
        {
          message:
            'On "lock", lease 2 of B was valid from 60 ms on, while lease 1 of A was valid until 110 ms: both of them for 50 ms.',
          events: indexesOf(history, ['acquire-granted']),
        },
      ],
    });
  });

  it('by one client that holds two leases', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', grantedMs: 10, untilMs: 110 });
    run.grant({ client: 'A', grantedMs: 60, untilMs: 160 });
    expect(checkMutualExclusion(run.build()).status).toBe('violated');
  });

  it('because of an extension, which then is part of the proof', () => {
    const run = new HistoryBuilder();
    const lease = run.grant({ client: 'A', grantedMs: 10, untilMs: 50 });
    run.extend(lease, 40, 45, 90);
    run.grant({ client: 'B', grantedMs: 60, untilMs: 160 });
    const history = run.build();
    expect(checkMutualExclusion(history)).toMatchObject({
      count: 1,
      violations: [{ events: indexesOf(history, ['acquire-granted'], ['extend-granted']).sort((a, b) => a - b) }],
    });
  });

  it('whatever was extended later, which then is no part of the proof', () => {
    const run = new HistoryBuilder();
    const lease = run.grant({ client: 'A', grantedMs: 10, untilMs: 80 });
    run.grant({ client: 'B', grantedMs: 60, untilMs: 160 });
    run.extend(lease, 65, 70, 200);
    const history = run.build();
    expect(checkMutualExclusion(history)).toMatchObject({
      count: 1,
      violations: [{ events: indexesOf(history, ['acquire-granted']) }],
    });
  });

  it('by an extension granted after the validity was over and another had the lock', () => {
    const run = new HistoryBuilder();
    const lease = run.grant({ client: 'A', grantedMs: 10, untilMs: 50 });
    run.grant({ client: 'B', grantedMs: 60, untilMs: 160 });
    run.extend(lease, 40, 70, 130);
    const history = run.build();
    expect(checkMutualExclusion(history)).toMatchObject({
      count: 1,
      violations: [
        {
          message:
            'On "lock", lease 1 of A was valid from 70 ms on, while lease 2 of B was valid until 160 ms: both of them for 60 ms.',
          events: indexesOf(history, ['acquire-granted'], ['extend-granted']),
        },
      ],
    });
  });

  it('because the clock of a holder went slow after the grant', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', grantedMs: 10, untilMs: 60 });
    run.clock('A', 20, { rate: 0.5 });
    run.grant({ client: 'B', grantedMs: 60, untilMs: 160 });
    const history = run.build();
    expect(checkMutualExclusion(history)).toMatchObject({
      count: 1,
      violations: [
        {
          message:
            'On "lock", lease 2 of B was valid from 60 ms on, while lease 1 of A was valid until 100 ms: both of them for 40 ms.',
          events: indexesOf(history, ['acquire-granted'], ['client-clock-changed']).sort((a, b) => a - b),
        },
      ],
    });
  });

  it('because of an extension, of which a clock that goes fast leaves enough', () => {
    const run = new HistoryBuilder();
    const lease = run.grant({ client: 'A', grantedMs: 10, untilMs: 50 });
    run.extend(lease, 40, 45, 90).clock('A', 50, { rate: 2 });
    run.grant({ client: 'B', grantedMs: 60, untilMs: 160 });
    const history = run.build();
    expect(checkMutualExclusion(history)).toMatchObject({
      count: 1,
      violations: [{ events: indexesOf(history, ['acquire-granted'], ['extend-granted']).sort((a, b) => a - b) }],
    });
  });

  it('because the clock that a holder reads was set back after the grant', () => {
    const run = new HistoryBuilder(ON_WALL_CLOCKS);
    run.grant({ client: 'A', grantedMs: 10, untilMs: 60 });
    run.clock('A', 20, { byMs: -10 });
    run.grant({ client: 'B', grantedMs: 65, untilMs: 160 });
    expect(checkMutualExclusion(run.build())).toMatchObject({
      count: 1,
      violations: [{ message: expect.stringContaining('while lease 1 of A was valid until 70 ms') as string }],
    });
  });

  it('when a clock that is set back lets a holder believe again', () => {
    const run = new HistoryBuilder(ON_WALL_CLOCKS);
    run.grant({ client: 'A', grantedMs: 10, untilMs: 60 });
    run.grant({ client: 'B', grantedMs: 60, untilMs: 160 });
    run.clock('A', 80, { byMs: -50 });
    const history = run.build();
    expect(checkMutualExclusion(history)).toMatchObject({
      count: 1,
      violations: [
        {
          message:
            'On "lock", lease 1 of A was valid again, by a clock that was set back, from 80 ms on, while lease 2 of B was valid until 160 ms: both of them for 30 ms.',
          events: indexesOf(history, ['acquire-granted'], ['client-clock-changed']),
        },
      ],
    });
  });

  it('by a lease that another meets after its holder came to believe again', () => {
    const run = new HistoryBuilder(ON_WALL_CLOCKS);
    run.grant({ client: 'A', grantedMs: 10, untilMs: 60 });
    run.clock('A', 80, { byMs: -50 });
    run.grant({ client: 'B', grantedMs: 100, untilMs: 160 });
    const history = run.build();
    expect(checkMutualExclusion(history)).toMatchObject({
      count: 1,
      violations: [{ events: indexesOf(history, ['acquire-granted'], ['client-clock-changed']).sort((a, b) => a - b) }],
    });
  });

  it.each([
    [60, ''],
    [40, ', by 20 ms'],
  ])('by a grant that comes after its validity was over: at 60 ms, until %d ms', (untilMs, howMuch) => {
    const run = new HistoryBuilder();
    run.grant({ client: 'B', grantedMs: 60, untilMs });
    const history = run.build();
    expect(checkMutualExclusion(history)).toEqual({
      property,
      status: 'violated',
      count: 1,
      violations: [
        {
          message: `Lease 1 of B was granted after its validity was over${howMuch}, at 60 ms.`,
          events: indexesOf(history, ['acquire-granted']),
        },
      ],
    });
  });

  it('by an extension that is granted after its validity was over', () => {
    const run = new HistoryBuilder();
    run.extend(run.grant({ client: 'A', grantedMs: 10, untilMs: 50 }), 20, 60, 55);
    expect(checkMutualExclusion(run.build())).toMatchObject({
      count: 1,
      violations: [{ message: 'Lease 1 of A was extended after its validity was over, by 5 ms, at 60 ms.' }],
    });
  });

  it('even in a run that was cut short', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', grantedMs: 10, untilMs: 110 });
    run.grant({ client: 'B', grantedMs: 60, untilMs: 160 });
    expect(checkMutualExclusion(run.build(null)).status).toBe('violated');
  });

  it('up to twenty times by name, and beyond by number', () => {
    const run = new HistoryBuilder();
    for (let lease = 0; lease < 30; lease += 1) run.grant({ client: 'A', grantedMs: lease, untilMs: 100 });
    const verdict = checkMutualExclusion(run.build());
    expect(verdict).toMatchObject({ status: 'violated', count: 29 });
    expect(verdict.status === 'violated' && verdict.violations.length).toBe(20);
  });
});

describe('mutual exclusion holds', () => {
  it('when one window begins as the other ends', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', grantedMs: 10, untilMs: 60 });
    run.grant({ client: 'B', grantedMs: 60, untilMs: 110 });
    expect(checkMutualExclusion(run.build())).toEqual({ property, status: 'ok' });
  });

  it('when release is called in the moment of the next grant', () => {
    const run = new HistoryBuilder();
    run.release(run.grant({ client: 'A', grantedMs: 10, untilMs: 110 }), 60, 65);
    run.grant({ client: 'B', grantedMs: 60, untilMs: 160 });
    expect(checkMutualExclusion(run.build()).status).toBe('ok');
  });

  it('when a release is still pending: who has called it relies on the lock no more', () => {
    const run = new HistoryBuilder();
    run.release(run.grant({ client: 'A', grantedMs: 10, untilMs: 110 }), 50);
    run.grant({ client: 'B', grantedMs: 60, untilMs: 160 });
    expect(checkMutualExclusion(run.build()).status).toBe('ok');
  });

  it('between an expiry and an extension granted too late, when another had the lock just then', () => {
    const run = new HistoryBuilder();
    const lease = run.grant({ client: 'A', grantedMs: 10, untilMs: 50 });
    run.release(run.grant({ client: 'B', grantedMs: 50, untilMs: 160 }), 70, 71);
    run.extend(lease, 40, 70, 130);
    expect(checkMutualExclusion(run.build()).status).toBe('ok');
  });

  it('when an extension is granted after release was called', () => {
    const run = new HistoryBuilder();
    const lease = run.grant({ client: 'A', grantedMs: 10, untilMs: 110 });
    run.extend(lease, 20, 40, 200).release(lease, 30, 50);
    run.grant({ client: 'B', grantedMs: 60, untilMs: 160 });
    expect(checkMutualExclusion(run.build()).status).toBe('ok');
  });

  it('when an extension fails', () => {
    const run = new HistoryBuilder();
    run.extend(run.grant({ client: 'A', grantedMs: 10, untilMs: 50 }), 20, 30);
    run.grant({ client: 'B', grantedMs: 50, untilMs: 160 });
    expect(checkMutualExclusion(run.build()).status).toBe('ok');
  });

  it('when the leases are on different resources', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', resource: 'one', grantedMs: 10, untilMs: 110 });
    run.grant({ client: 'B', resource: 'two', grantedMs: 60, untilMs: 160 });
    expect(checkMutualExclusion(run.build()).status).toBe('ok');
  });

  it('when the clock of a holder that runs faster or is set forward ends its validity sooner', () => {
    for (const change of [{ rate: 2 }, { byMs: 50 }]) {
      const run = new HistoryBuilder();
      run.grant({ client: 'A', grantedMs: 10, untilMs: 110 });
      run.clock('A', 10, change);
      run.grant({ client: 'B', grantedMs: 60, untilMs: 160 });
      expect(checkMutualExclusion(run.build()).status).toBe('ok');
    }
  });

  it('when the clock that changes is another one than the library reads, or that of another client', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', grantedMs: 10, untilMs: 60 });
    const change = { type: 'client-clock-changed', timeUs: 20_000, byMs: -50, rate: 1 } as const;
    run.add({ ...change, client: 'A', clock: 'wall' }, { ...change, client: 'C', clock: 'monotonic' });
    run.grant({ client: 'B', grantedMs: 60, untilMs: 160 });
    expect(checkMutualExclusion(run.build()).status).toBe('ok');
  });

  it('when a clock is set back after release was called', () => {
    const run = new HistoryBuilder(ON_WALL_CLOCKS);
    run.release(run.grant({ client: 'A', grantedMs: 10, untilMs: 110 }), 50);
    run.clock('A', 60, { byMs: -100 });
    run.grant({ client: 'B', grantedMs: 60, untilMs: 160 });
    expect(checkMutualExclusion(run.build()).status).toBe('ok');
  });
});

describe('mutual exclusion is unknown', () => {
  it('when no lock was granted', () => {
    const run = new HistoryBuilder();
    run.fail(run.invoke('A', 10), 20);
    expect(checkMutualExclusion(run.build())).toEqual({ property, status: 'unknown', reason: 'no lock was granted' });
  });

  it('when the run was cut short', () => {
    const run = new HistoryBuilder();
    run.grant({ grantedMs: 10, untilMs: 110 });
    expect(checkMutualExclusion(run.build('interrupted'))).toMatchObject({
      status: 'unknown',
      reason: 'the run was cut short: interrupted',
    });
    expect(checkMutualExclusion(run.build(null))).toMatchObject({
      status: 'unknown',
      reason: 'the history breaks off before the end of the run',
    });
  });

  it('when the history contradicts itself', () => {
    const run = new HistoryBuilder();
    run.grant({ grantedMs: 10, untilMs: 110 });
    run.add({ type: 'release-done', timeUs: 50_000, client: 'A', operation: 9, lease: 1 });
    expect(checkMutualExclusion(run.build())).toMatchObject({
      status: 'unknown',
      reason:
        'the history contradicts itself: event 4 (release-done) settles the release of lease 1, which was not invoked',
    });
  });
});

interface Stretch {
  readonly lease: number;
  readonly resource: string;
  readonly fromUs: number;
  untilUs: number;
}

/** What a holder believes of a lease: until which reading of its clock it is valid. */
interface Belief {
  readonly client: string;
  readonly resource: string;
  readonly validUntilReading: number;
  readonly isGivenBack: boolean;
}

/** Stretches of belief read off the clocks of the clients, event by event, whose readings begin at 0. */
function stretchesOf(history: HistoryLog): Stretch[] {
  const stretches: Stretch[] = [];
  const beliefs = new Map<number, Belief>();
  const clocks = new Map(['A', 'B', 'C'].map((client) => [client, { readingUs: 0, rate: 1 }]));
  let nowUs = 0;
  const clockOf = (client: string): { readingUs: number; rate: number } =>
    clocks.get(client) ?? { readingUs: 0, rate: 1 };
  const believeUntil = (untilUs: number): void => {
    for (const [lease, { client, resource, validUntilReading, isGivenBack }] of beliefs) {
      const { readingUs, rate } = clockOf(client);
      const endUs = Math.min(untilUs, nowUs + (validUntilReading - readingUs) / rate);
      if (isGivenBack || endUs <= nowUs) continue;
      const last = stretches.findLast((stretch) => stretch.lease === lease);
      if (last?.untilUs === nowUs) last.untilUs = endUs;
      else stretches.push({ lease, resource, fromUs: nowUs, untilUs: endUs });
    }
    for (const clock of clocks.values()) clock.readingUs += (untilUs - nowUs) * clock.rate;
    nowUs = untilUs;
  };
  for (const event of history.since(0)) {
    believeUntil(event.timeUs);
    const readingAt = (client: string, timeUs: number): number =>
      clockOf(client).readingUs + (timeUs - nowUs) * clockOf(client).rate;
    if (event.type === 'acquire-granted') {
      const { client, operation, resource, validUntilUs } = event;
      beliefs.set(operation, {
        client,
        resource,
        validUntilReading: readingAt(client, validUntilUs),
        isGivenBack: false,
      });
    }
    if (event.type === 'release-invoked') {
      beliefs.set(event.lease, { ...(beliefs.get(event.lease) as Belief), isGivenBack: true });
    }
    if (event.type === 'extend-granted') {
      const belief = beliefs.get(event.lease) as Belief;
      const validUntilReading = Math.max(belief.validUntilReading, readingAt(event.client, event.validUntilUs));
      beliefs.set(event.lease, { ...belief, validUntilReading });
    }
    if (event.type === 'client-clock-changed') {
      const { readingUs } = clockOf(event.client);
      clocks.set(event.client, { readingUs: readingUs + event.byMs * 1000, rate: event.rate });
    }
  }
  believeUntil(1_000_000);
  return stretches;
}

/** Grants, of leases and of extensions, that promise nothing. */
function lateGrantsOf(history: HistoryLog): number {
  return [...history.since(0)].filter(
    (event) => (event.type === 'acquire-granted' || event.type === 'extend-granted') && event.validityMs <= 0,
  ).length;
}

describe('the sweep', () => {
  it('finds what comparing every window with every other finds', () => {
    fc.assert(
      fc.property(arbitraryHistory, (history) => {
        const stretches = stretchesOf(history);
        const late = stretches.filter((later, place) =>
          stretches
            .slice(0, place)
            .some(
              (earlier) =>
                earlier.lease !== later.lease &&
                earlier.resource === later.resource &&
                earlier.fromUs < later.untilUs &&
                later.fromUs < earlier.untilUs,
            ),
        );
        const verdict = checkMutualExclusion(history);
        const violations = late.length + lateGrantsOf(history);
        const isJudged = [...history.since(0)].some(({ type }) => type === 'acquire-granted');
        expect(verdict.status === 'violated' ? verdict.count : 0).toBe(violations);
        expect(verdict.status === 'ok').toBe(violations === 0 && isJudged);
      }),
      { numRuns: 1000 },
    );
  });
});
