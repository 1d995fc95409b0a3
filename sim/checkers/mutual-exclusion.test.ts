import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryLog } from '../history/history-log.ts';
import { arbitraryHistory } from './arbitrary-history.ts';
import { HistoryBuilder, indexesOf } from './history-builder.ts';
import { checkMutualExclusion } from './mutual-exclusion.ts';

const property = 'mutual-exclusion';

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

  it('when a grant came with no validity left', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', grantedMs: 10, untilMs: 110 });
    run.grant({ client: 'B', grantedMs: 60, untilMs: 60 });
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

/** Validity windows read off the events in the plainest way. */
function stretchesOf(history: HistoryLog): Stretch[] {
  const stretches: Stretch[] = [];
  const released = new Set<number>();
  for (const event of history.since(0)) {
    if (event.type === 'acquire-granted') {
      stretches.push({
        lease: event.operation,
        resource: event.resource,
        fromUs: event.timeUs,
        untilUs: event.validUntilUs,
      });
    }
    if (event.type === 'release-invoked' && !released.has(event.lease)) {
      released.add(event.lease);
      for (const stretch of stretches) {
        if (stretch.lease === event.lease) stretch.untilUs = Math.min(stretch.untilUs, event.timeUs);
      }
    }
    if (event.type === 'extend-granted' && !released.has(event.lease)) {
      const last = stretches.findLast((stretch) => stretch.lease === event.lease) as Stretch;
      if (last.untilUs >= event.timeUs) last.untilUs = Math.max(last.untilUs, event.validUntilUs);
      else stretches.push({ ...last, fromUs: event.timeUs, untilUs: event.validUntilUs });
    }
  }
  return stretches;
}

describe('the sweep', () => {
  it('finds what comparing every window with every other finds', () => {
    fc.assert(
      fc.property(arbitraryHistory, (history) => {
        const stretches = stretchesOf(history).filter(({ fromUs, untilUs }) => fromUs < untilUs);
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
        expect(verdict.status === 'violated' ? verdict.count : 0).toBe(late.length);
        expect(verdict.status === 'ok').toBe(late.length === 0 && stretchesOf(history).length > 0);
      }),
      { numRuns: 500 },
    );
  });
});
