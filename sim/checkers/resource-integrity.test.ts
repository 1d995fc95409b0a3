import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryLog } from '../history/history-log.ts';
import { arbitraryHistory } from './arbitrary-history.ts';
import { HistoryBuilder, indexesOf } from './history-builder.ts';
import { checkResourceIntegrity } from './resource-integrity.ts';

const property = 'resource-integrity';

describe('the integrity of the resource is violated', () => {
  it('when a holder writes after a newer one has written', () => {
    const run = new HistoryBuilder();
    const older = run.grant({ client: 'A', grantedMs: 10, untilMs: 110 });
    const newer = run.grant({ client: 'B', grantedMs: 120, untilMs: 220 });
    run.write(newer, 130).write(older, 140);
    const history = run.build();
    const [olderGrant, newerGrant, newerWrite, olderWrite] = indexesOf(
      history,
      ['acquire-granted'],
      ['write-accepted'],
    );
    expect(checkResourceIntegrity(history)).toEqual({
      property,
      status: 'violated',
      count: 1,
      violations: [
        {
          message:
            '"lock" accepted write 2 by lease 1 of A (granted at 10 ms) at 140 ms, after it had accepted write 1 by lease 2 of B (granted at 120 ms) at 130 ms.',
          events: [olderGrant, newerGrant, newerWrite, olderWrite],
        },
      ],
    });
  });

  it('by each write of an older holder', () => {
    const run = new HistoryBuilder();
    const older = run.grant({ client: 'A', grantedMs: 10, untilMs: 110 });
    const newer = run.grant({ client: 'B', grantedMs: 120, untilMs: 220 });
    run.write(older, 125).write(newer, 130).write(older, 140).write(newer, 150).write(older, 160);
    expect(checkResourceIntegrity(run.build())).toMatchObject({ status: 'violated', count: 2 });
  });

  it('by tokens that let an older holder through', () => {
    const run = new HistoryBuilder({ fencing: true });
    const older = run.grant({ client: 'A', grantedMs: 10, untilMs: 110, token: 9 });
    const newer = run.grant({ client: 'B', startedMs: 115, grantedMs: 120, untilMs: 220, token: 9 });
    run.write(newer, 130).write(older, 140);
    expect(checkResourceIntegrity(run.build()).status).toBe('violated');
  });
});

describe('the integrity of the resource is violated by tokens', () => {
  it('when two acquired the lock at the same time, and the smaller token is accepted after the larger one', () => {
    const run = new HistoryBuilder({ fencing: true });
    const one = run.grant({ client: 'A', startedMs: 0, grantedMs: 10, untilMs: 90, token: 1 });
    const other = run.grant({ client: 'B', startedMs: 5, grantedMs: 20, untilMs: 95, token: 2 });
    run.write(one, 25).write(other, 30).write(one, 40);
    const history = run.build();
    const [firstGrant, secondGrant] = indexesOf(history, ['acquire-granted']);
    const [, newerWrite, olderWrite] = indexesOf(history, ['write-accepted']);
    expect(checkResourceIntegrity(history)).toEqual({
      property,
      status: 'violated',
      count: 1,
      violations: [
        {
          message:
            '"lock" accepted write 3 by lease 1 of A with token 1 at 40 ms, after it had accepted write 2 by lease 2 of B with the larger token 2 at 30 ms.',
          events: [firstGrant, secondGrant, newerWrite, olderWrite],
        },
      ],
    });
  });

  it('for each resource by itself', () => {
    const run = new HistoryBuilder({ fencing: true });
    const one = run.grant({ client: 'A', resource: 'one', startedMs: 0, grantedMs: 10, untilMs: 90, token: 1 });
    const other = run.grant({ client: 'B', resource: 'two', startedMs: 5, grantedMs: 20, untilMs: 95, token: 2 });
    run.write(other, 30).write(one, 40);
    expect(checkResourceIntegrity(run.build()).status).toBe('ok');
  });
});

describe('the integrity of the resource holds', () => {
  it('when holders write in the order of their grants', () => {
    const run = new HistoryBuilder();
    const older = run.grant({ client: 'A', grantedMs: 10, untilMs: 110 });
    const newer = run.grant({ client: 'B', grantedMs: 120, untilMs: 220 });
    run.write(older, 115).write(older, 130).write(newer, 131);
    expect(checkResourceIntegrity(run.build())).toEqual({ property, status: 'ok' });
  });

  it('when two were granted the lock in the same moment', () => {
    const run = new HistoryBuilder();
    const one = run.grant({ client: 'A', grantedMs: 10, untilMs: 110 });
    const other = run.grant({ client: 'B', grantedMs: 10, untilMs: 110 });
    run.write(other, 20).write(one, 21).write(other, 22);
    expect(checkResourceIntegrity(run.build()).status).toBe('ok');
  });

  it('when tokens order what was acquired at the same time', () => {
    const run = new HistoryBuilder({ fencing: true });
    const one = run.grant({ client: 'A', startedMs: 5, grantedMs: 20, untilMs: 110, token: 1 });
    const other = run.grant({ client: 'B', startedMs: 10, grantedMs: 15, untilMs: 110, token: 2 });
    run.write(one, 30).write(other, 31);
    expect(checkResourceIntegrity(run.build()).status).toBe('ok');
  });

  it('when the writes are to different resources', () => {
    const run = new HistoryBuilder();
    const older = run.grant({ client: 'A', resource: 'one', grantedMs: 10, untilMs: 110 });
    const newer = run.grant({ client: 'B', resource: 'two', grantedMs: 120, untilMs: 220 });
    run.write(newer, 130).write(older, 140);
    expect(checkResourceIntegrity(run.build()).status).toBe('ok');
  });
});

describe('the integrity of the resource is unknown', () => {
  it('when it accepted no write', () => {
    const run = new HistoryBuilder();
    run.grant({ grantedMs: 10, untilMs: 110 });
    expect(checkResourceIntegrity(run.build())).toEqual({
      property,
      status: 'unknown',
      reason: 'the resource accepted no write',
    });
  });
});

interface Write {
  readonly resource: string;
  readonly grantedUs: number;
  readonly sinceUs: number;
  readonly token: number;
}

function writesOf(history: HistoryLog): Write[] {
  const events = [...history.since(0)];
  return events.flatMap((event): Write[] => {
    if (event.type !== 'write-accepted') return [];
    const { lease, resource, token } = event;
    const timeOf = (type: string): number =>
      events.find((other) => other.type === type && 'operation' in other && other.operation === lease)?.timeUs ??
      Number.NaN;
    const grantedUs = timeOf('acquire-granted');
    const startedUs = Number.isNaN(timeOf('attempt-started')) ? timeOf('acquire-invoked') : timeOf('attempt-started');
    return [{ resource, grantedUs, sinceUs: token === null ? grantedUs : startedUs, token: token ?? Number.NaN }];
  });
}

describe('the sweep', () => {
  it('finds what comparing every write with all before it finds', () => {
    fc.assert(
      fc.property(arbitraryHistory, (history) => {
        const writes = writesOf(history);
        const stale = writes.filter(({ resource, grantedUs, token }, place) =>
          writes
            .slice(0, place)
            .some((earlier) => earlier.resource === resource && (grantedUs < earlier.sinceUs || token < earlier.token)),
        );
        const verdict = checkResourceIntegrity(history);
        expect(verdict.status === 'violated' ? verdict.count : 0).toBe(stale.length);
        expect(verdict.status === 'ok').toBe(stale.length === 0 && writes.length > 0);
      }),
      { numRuns: 500 },
    );
  });
});
