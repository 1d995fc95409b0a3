import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryLog } from '../history/history-log.ts';
import { arbitraryHistory } from './arbitrary-history.ts';
import { checkCriticalSection } from './critical-section.ts';
import { HistoryBuilder, indexesOf } from './history-builder.ts';

const property = 'critical-section';

describe('the critical section is violated', () => {
  it('when a client enters while another is inside, though its lease is over', () => {
    const run = new HistoryBuilder();
    run.section(run.grant({ client: 'A', grantedMs: 10, untilMs: 30 }), 10, 80);
    run.section(run.grant({ client: 'B', grantedMs: 40, untilMs: 90 }), 40, 60);
    const history = run.build();
    expect(checkCriticalSection(history)).toEqual({
      property,
      status: 'violated',
      count: 1,
      violations: [
        {
          message:
            'On "lock", lease 2 of B entered the section at 40 ms, while lease 1 of A was inside, from 10 ms until 80 ms.',
          events: indexesOf(history, ['section-entered']),
        },
      ],
    });
  });

  it('when the other never leaves', () => {
    const run = new HistoryBuilder();
    run.section(run.grant({ client: 'A', grantedMs: 10, untilMs: 30 }), 10);
    run.section(run.grant({ client: 'B', grantedMs: 400, untilMs: 500 }), 400, 410);
    expect(checkCriticalSection(run.build())).toMatchObject({
      count: 1,
      violations: [
        {
          message:
            'On "lock", lease 2 of B entered the section at 400 ms, while lease 1 of A was inside, from 10 ms until the end of the run.',
        },
      ],
    });
  });

  it('when a client is inside for no time at all, in the midst of the stay of another', () => {
    const run = new HistoryBuilder();
    run.section(run.grant({ client: 'A', grantedMs: 10, untilMs: 110 }), 10, 80);
    run.section(run.grant({ client: 'B', grantedMs: 40, untilMs: 90 }), 40, 40);
    expect(checkCriticalSection(run.build()).status).toBe('violated');
  });

  it('by another client, behind a longer stay of the same', () => {
    const run = new HistoryBuilder();
    run.section(run.grant({ client: 'B', grantedMs: 5, untilMs: 110 }), 5, 50);
    run.section(run.grant({ client: 'A', grantedMs: 10, untilMs: 110 }), 10, 80);
    run.section(run.grant({ client: 'A', grantedMs: 40, untilMs: 90 }), 40, 45);
    const history = run.build();
    const [first, second, third] = indexesOf(history, ['section-entered']);
    expect(checkCriticalSection(history)).toMatchObject({
      count: 2,
      violations: [{ events: [first, second] }, { events: [first, third] }],
    });
  });
});

describe('the critical section holds', () => {
  it('when one enters as the other leaves', () => {
    const run = new HistoryBuilder();
    run.section(run.grant({ client: 'A', grantedMs: 10, untilMs: 110 }), 10, 60);
    run.section(run.grant({ client: 'B', grantedMs: 60, untilMs: 160 }), 60, 90);
    expect(checkCriticalSection(run.build())).toEqual({ property, status: 'ok' });
  });

  it('when leases overlap and stays do not', () => {
    const run = new HistoryBuilder();
    run.section(run.grant({ client: 'A', grantedMs: 10, untilMs: 110 }), 10, 20);
    run.section(run.grant({ client: 'B', grantedMs: 60, untilMs: 160 }), 60, 90);
    expect(checkCriticalSection(run.build()).status).toBe('ok');
  });

  it('when the stays are of one client', () => {
    const run = new HistoryBuilder();
    run.section(run.grant({ client: 'A', grantedMs: 10, untilMs: 110 }), 10, 80);
    run.section(run.grant({ client: 'A', grantedMs: 60, untilMs: 160 }), 60, 90);
    expect(checkCriticalSection(run.build()).status).toBe('ok');
  });

  it('when the resources are different', () => {
    const run = new HistoryBuilder();
    run.section(run.grant({ client: 'A', resource: 'one', grantedMs: 10, untilMs: 110 }), 10, 80);
    run.section(run.grant({ client: 'B', resource: 'two', grantedMs: 60, untilMs: 160 }), 60, 90);
    expect(checkCriticalSection(run.build()).status).toBe('ok');
  });
});

describe('the critical section is unknown', () => {
  it('when nobody entered one', () => {
    const run = new HistoryBuilder();
    run.grant({ client: 'A', grantedMs: 10, untilMs: 110 });
    expect(checkCriticalSection(run.build())).toEqual({
      property,
      status: 'unknown',
      reason: 'nobody entered a critical section',
    });
  });
});

interface Stay {
  readonly lease: number;
  readonly client: string;
  readonly resource: string;
  leftUs: number;
  readonly enteredUs: number;
}

function staysOf(history: HistoryLog): Stay[] {
  const stays: Stay[] = [];
  for (const event of history.since(0)) {
    if (event.type === 'section-entered') {
      const { lease, client, resource, timeUs } = event;
      stays.push({ lease, client, resource, enteredUs: timeUs, leftUs: Number.POSITIVE_INFINITY });
    }
    if (event.type === 'section-left') {
      (stays.findLast((stay) => stay.lease === event.lease) as Stay).leftUs = event.timeUs;
    }
  }
  return stays;
}

describe('the sweep', () => {
  it('finds what comparing every stay with every other finds', () => {
    fc.assert(
      fc.property(arbitraryHistory, (history) => {
        const stays = staysOf(history);
        const intrusions = stays.filter((later, place) =>
          stays
            .slice(0, place)
            .some(
              (earlier) =>
                earlier.client !== later.client &&
                earlier.resource === later.resource &&
                earlier.leftUs > later.enteredUs,
            ),
        );
        const verdict = checkCriticalSection(history);
        expect(verdict.status === 'violated' ? verdict.count : 0).toBe(intrusions.length);
        expect(verdict.status === 'ok').toBe(intrusions.length === 0 && stays.length > 0);
      }),
      { numRuns: 500 },
    );
  });
});
