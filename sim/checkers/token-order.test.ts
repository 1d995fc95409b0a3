import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryLog } from '../history/history-log.ts';
import { arbitraryHistory } from './arbitrary-history.ts';
import { HistoryBuilder, indexesOf } from './history-builder.ts';
import { checkTokenOrder } from './token-order.ts';

const property = 'token-order';

describe('the order of tokens is violated', () => {
  it('when a lease acquired after another was granted carries a smaller token', () => {
    const run = new HistoryBuilder({ fencing: true });
    run.grant({ client: 'A', startedMs: 5, grantedMs: 10, untilMs: 110, token: 7 });
    run.grant({ client: 'B', startedMs: 115, grantedMs: 120, untilMs: 220, token: 6 });
    const history = run.build();
    const [firstGrant, secondGrant] = indexesOf(history, ['acquire-granted']) as [number, number];
    const [secondStart] = indexesOf(history, ['attempt-started', { operation: 2 }]) as [number];
    expect(checkTokenOrder(history)).toEqual({
      property,
      status: 'violated',
      count: 1,
      violations: [
        {
          message:
            'On "lock", lease 2 of B carries token 6 (acquired from 115 ms to 120 ms), and lease 1 of A carries token 7 (granted at 10 ms): it was acquired after that was granted.',
          events: [firstGrant, secondStart, secondGrant],
        },
      ],
    });
  });

  it('when two leases carry the same token, though they were acquired at the same time', () => {
    const run = new HistoryBuilder({ fencing: true });
    run.grant({ client: 'A', startedMs: 5, grantedMs: 20, untilMs: 110, token: 7 });
    run.grant({ client: 'B', startedMs: 10, grantedMs: 30, untilMs: 220, token: 7 });
    expect(checkTokenOrder(run.build())).toMatchObject({
      count: 1,
      violations: [
        {
          message:
            'On "lock", lease 2 of B carries token 7 (acquired from 10 ms to 30 ms), and lease 1 of A carries token 7 (granted at 20 ms): tokens must differ.',
        },
      ],
    });
  });

  it('when the same token comes back behind a larger one', () => {
    const run = new HistoryBuilder({ fencing: true });
    run.grant({ client: 'A', startedMs: 0, grantedMs: 10, untilMs: 110, token: 5 });
    run.grant({ client: 'B', startedMs: 0, grantedMs: 20, untilMs: 110, token: 9 });
    run.grant({ client: 'C', startedMs: 5, grantedMs: 30, untilMs: 110, token: 5 });
    expect(checkTokenOrder(run.build())).toMatchObject({ status: 'violated', count: 1 });
  });

  it('when a lease carries no token in a run with fencing', () => {
    const run = new HistoryBuilder({ fencing: true });
    run.grant({ client: 'A', grantedMs: 10, untilMs: 110, token: 1 });
    run.grant({ client: 'A', grantedMs: 120, untilMs: 220, token: 2 });
    run.grant({ client: 'B', grantedMs: 230, untilMs: 330, token: null });
    const history = run.build();
    expect(checkTokenOrder(history)).toMatchObject({
      count: 1,
      violations: [
        {
          message: 'On "lock", lease 3 of B carries no token (granted at 230 ms), in a run with fencing.',
          events: indexesOf(history, ['acquire-granted', { token: null }]),
        },
      ],
    });
  });

  it('counting from the invocation, where no attempt is on record', () => {
    const run = new HistoryBuilder({ fencing: true });
    run.grant({ client: 'A', grantedMs: 10, untilMs: 110, token: 7 });
    run.grant({ client: 'B', invokedMs: 115, startedMs: null, grantedMs: 120, untilMs: 220, token: 6 });
    const history = run.build();
    expect(checkTokenOrder(history)).toMatchObject({
      count: 1,
      violations: [
        {
          events: indexesOf(
            history,
            ['acquire-granted', { operation: 1 }],
            ['acquire-invoked', { operation: 2 }],
            ['acquire-granted', { operation: 2 }],
          ),
        },
      ],
    });
  });
});

describe('the order of tokens holds', () => {
  it('when tokens grow', () => {
    const run = new HistoryBuilder({ fencing: true });
    run.grant({ client: 'A', startedMs: 5, grantedMs: 10, untilMs: 110, token: 7 });
    run.grant({ client: 'B', startedMs: 115, grantedMs: 120, untilMs: 220, token: 8 });
    expect(checkTokenOrder(run.build())).toEqual({ property, status: 'ok' });
  });

  it('when leases acquired at the same time carry different tokens, in whatever order', () => {
    const run = new HistoryBuilder({ fencing: true });
    run.grant({ client: 'A', startedMs: 5, grantedMs: 20, untilMs: 110, token: 8 });
    run.grant({ client: 'B', startedMs: 20, grantedMs: 30, untilMs: 220, token: 7 });
    expect(checkTokenOrder(run.build()).status).toBe('ok');
  });

  it('when it was an earlier attempt of the same acquire that began before the other was granted', () => {
    const run = new HistoryBuilder({ fencing: true });
    run.grant({ client: 'A', startedMs: 5, grantedMs: 20, untilMs: 110, token: 8 });
    run.grant({ client: 'B', invokedMs: 0, startedMs: 19, grantedMs: 30, untilMs: 220, token: 7 });
    expect(checkTokenOrder(run.build()).status).toBe('ok');
  });

  it('when leases on different resources carry the same token', () => {
    const run = new HistoryBuilder({ fencing: true });
    run.grant({ client: 'A', resource: 'one', grantedMs: 10, untilMs: 110, token: 7 });
    run.grant({ client: 'A', resource: 'one', grantedMs: 120, untilMs: 220, token: 8 });
    run.grant({ client: 'B', resource: 'two', grantedMs: 130, untilMs: 220, token: 7 });
    expect(checkTokenOrder(run.build()).status).toBe('ok');
  });
});

describe('the order of tokens is unknown', () => {
  it('without fencing', () => {
    const run = new HistoryBuilder();
    run.grant({ grantedMs: 10, untilMs: 110 });
    run.grant({ grantedMs: 120, untilMs: 220 });
    expect(checkTokenOrder(run.build())).toEqual({
      property,
      status: 'unknown',
      reason: 'the run was without fencing tokens',
    });
  });

  it('when no resource was locked twice', () => {
    const run = new HistoryBuilder({ fencing: true });
    run.grant({ resource: 'one', grantedMs: 10, untilMs: 110, token: 1 });
    run.grant({ resource: 'two', grantedMs: 120, untilMs: 220, token: 2 });
    expect(checkTokenOrder(run.build())).toMatchObject({
      status: 'unknown',
      reason: 'no two leases on one resource carry tokens',
    });
  });
});

interface Grant {
  readonly resource: string;
  readonly token: number;
  readonly startedUs: number;
  readonly grantedUs: number;
}

function grantsOf(history: HistoryLog): Grant[] {
  const started = new Map<number, number>();
  const grants: Grant[] = [];
  for (const event of history.since(0)) {
    if (event.type === 'acquire-invoked' || event.type === 'attempt-started')
      started.set(event.operation, event.timeUs);
    if (event.type !== 'acquire-granted' || event.token === null) continue;
    const { resource, token, operation, timeUs } = event;
    grants.push({ resource, token, startedUs: started.get(operation) as number, grantedUs: timeUs });
  }
  return grants;
}

describe('the sweep', () => {
  it('finds what comparing every lease with all before it finds', () => {
    fc.assert(
      fc.property(arbitraryHistory, (history) => {
        const grants = grantsOf(history);
        const others = (place: number): Grant[] =>
          grants.slice(0, place).filter(({ resource }) => resource === grants[place]?.resource);
        const wrong = grants.filter((later, place) =>
          others(place).some(
            (earlier) =>
              earlier.token === later.token || (earlier.grantedUs < later.startedUs && earlier.token >= later.token),
          ),
        );
        const isJudged = grants.some((_grant, place) => others(place).length > 0);
        const [started, ...events] = [...history.since(0)];
        const isFenced = started?.type === 'run-started' && started.fencing;
        const missing = events.filter((event) => event.type === 'acquire-granted' && event.token === null);
        const violations = wrong.length + (isFenced ? missing.length : 0);
        const verdict = checkTokenOrder(history);
        expect(verdict.status === 'violated' ? verdict.count : 0).toBe(violations);
        expect(verdict.status === 'ok').toBe(violations === 0 && isJudged);
      }),
      { numRuns: 500 },
    );
  });
});
