import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkDeadlockFreedom } from './deadlock-freedom.ts';
import { HistoryBuilder, indexesOf } from './history-builder.ts';

const property = 'deadlock-freedom';
const probe = { phase: 'probe' } as const;

/** A run with one lease, healed at 100 ms: with a longest time to live of 100 ms, probes count from 202 ms on. */
function healedRun(): HistoryBuilder {
  const run = new HistoryBuilder();
  run.grant({ grantedMs: 10, untilMs: 110 });
  return run.healed(100);
}

describe('freedom from deadlock is violated', () => {
  it('when every probe fails after all faults healed and the longest time to live has passed', () => {
    const run = healedRun();
    run.fail(run.invoke('A', 202, probe), 210, 'contended', 'probe');
    run.fail(run.invoke('B', 203, probe), 211, 'unreachable', 'probe');
    const history = run.build();
    expect(checkDeadlockFreedom(history)).toEqual({
      property,
      status: 'violated',
      count: 1,
      violations: [
        {
          message:
            'Nobody could lock "lock" after all faults had healed (at 100 ms) and the longest time to live had passed (at 202 ms): A failed (contended), B failed (unreachable).',
          events: [
            ...indexesOf(history, ['healed']),
            ...indexesOf(history, ['acquire-invoked', probe], ['acquire-failed']),
          ],
        },
      ],
    });
  });

  it('for each resource by itself', () => {
    const run = healedRun();
    run.grant({ ...probe, resource: 'lock', grantedMs: 210, untilMs: 310 });
    run.fail(run.invoke('A', 220, { ...probe, resource: 'other' }), 230, 'contended', 'probe');
    expect(checkDeadlockFreedom(run.build())).toMatchObject({ status: 'violated', count: 1 });
  });

  it('when a probe never settles, in a run that was completed', () => {
    const run = healedRun();
    run.invoke('A', 202, probe);
    expect(checkDeadlockFreedom(run.build())).toMatchObject({
      violations: [
        {
          message:
            'Nobody could lock "lock" after all faults had healed (at 100 ms) and the longest time to live had passed (at 202 ms): A got no answer.',
        },
      ],
    });
  });
});

describe('freedom from deadlock holds', () => {
  it('when one probe of each resource is granted', () => {
    const run = healedRun();
    run.fail(run.invoke('B', 205, probe), 230, 'contended', 'probe');
    run.grant({ ...probe, grantedMs: 210, untilMs: 310 });
    expect(checkDeadlockFreedom(run.build())).toEqual({ property, status: 'ok' });
  });

  it('when a probe is granted even before the longest time to live has passed', () => {
    const run = healedRun();
    run.grant({ ...probe, grantedMs: 101, untilMs: 201 });
    run.fail(run.invoke('B', 205, probe), 230, 'contended', 'probe');
    expect(checkDeadlockFreedom(run.build()).status).toBe('ok');
  });
});

describe('freedom from deadlock is unknown', () => {
  it('when the faults were never healed', () => {
    const run = new HistoryBuilder();
    run.grant({ grantedMs: 10, untilMs: 110 });
    expect(checkDeadlockFreedom(run.build())).toEqual({
      property,
      status: 'unknown',
      reason: 'the faults were never healed',
    });
  });

  it('when nobody tried', () => {
    expect(checkDeadlockFreedom(healedRun().build())).toMatchObject({
      reason: 'nobody tried to lock anything after the faults had healed',
    });
  });

  it('when a resource that was locked was not probed', () => {
    const run = healedRun();
    run.grant({ ...probe, resource: 'other', grantedMs: 210, untilMs: 310 });
    expect(checkDeadlockFreedom(run.build())).toMatchObject({
      status: 'unknown',
      reason: 'no try to lock "lock" was settled after the faults had healed and the longest time to live had passed',
    });
  });

  it('when probes failed that came too early, on clocks that drift', () => {
    const run = new HistoryBuilder({ clockDriftFactor: 0.1 });
    run.grant({ grantedMs: 10, untilMs: 110 });
    run.healed(100);
    run.fail(run.invoke('A', 211, probe), 230, 'contended', 'probe');
    expect(checkDeadlockFreedom(run.build()).status).toBe('unknown');
    run.fail(run.invoke('A', 212.1, probe), 240, 'contended', 'probe');
    expect(checkDeadlockFreedom(run.build()).status).toBe('violated');
  });

  it('when the only failures are of the workload, or by callers that gave up', () => {
    const run = healedRun();
    run.fail(run.invoke('A', 300), 310);
    run.fail(run.invoke('A', 320, probe), 330, 'aborted', 'probe');
    expect(checkDeadlockFreedom(run.build()).status).toBe('unknown');
  });

  it('when a probe is pending in a run that was cut short, whatever the others', () => {
    const run = healedRun();
    run.fail(run.invoke('A', 202, probe), 210, 'contended', 'probe');
    run.invoke('B', 203, probe);
    expect(checkDeadlockFreedom(run.build('interrupted')).status).toBe('unknown');
    expect(checkDeadlockFreedom(run.build()).status).toBe('violated');
  });
});

describe('freedom from deadlock is unknown though nobody ever had a lock', () => {
  const reason = (resource: string): string =>
    `no try to lock "${resource}" was settled after the faults had healed and the longest time to live had passed`;

  it.each(['contended', 'aborted'])('when the only probe came too early or was called off: %s', (code) => {
    const run = new HistoryBuilder().healed(100);
    run.fail(run.invoke('A', 101, probe), 110, code, 'probe');
    expect(checkDeadlockFreedom(run.build())).toMatchObject({ status: 'unknown', reason: reason('lock') });
  });

  it('when the only probe in time was called off', () => {
    const run = new HistoryBuilder().healed(100);
    run.fail(run.invoke('A', 301, probe), 310, 'aborted', 'probe');
    expect(checkDeadlockFreedom(run.build())).toMatchObject({ status: 'unknown', reason: reason('lock') });
  });

  it('when a resource that the workload asked for in vain was not probed', () => {
    const run = new HistoryBuilder();
    run.fail(run.invoke('A', 10, { resource: 'other' }), 50, 'unreachable');
    run.healed(100).grant({ ...probe, startedMs: 300, grantedMs: 301, untilMs: 390 });
    expect(checkDeadlockFreedom(run.build())).toMatchObject({ status: 'unknown', reason: reason('other') });
  });
});

describe('the verdict on many probes', () => {
  it('is that of looking at each resource in turn', () => {
    const arbitraryProbe = fc.record({
      resource: fc.constantFrom('lock', 'other', 'third'),
      invokedMs: fc.integer({ min: 190, max: 210 }),
      outcome: fc.constantFrom('granted', 'contended', 'aborted', 'pending'),
    });
    fc.assert(
      fc.property(fc.array(arbitraryProbe, { maxLength: 6 }), (probes) => {
        const run = healedRun();
        for (const { resource, invokedMs, outcome } of probes) {
          if (outcome === 'granted') {
            run.grant({ ...probe, resource, invokedMs, startedMs: null, grantedMs: invokedMs + 1, untilMs: 400 });
            continue;
          }
          const operation = run.invoke('A', invokedMs, { ...probe, resource });
          if (outcome !== 'pending') run.fail(operation, invokedMs + 1, outcome, 'probe');
        }
        const isFree = (name: string): boolean =>
          probes.some(({ resource, outcome }) => resource === name && outcome === 'granted');
        const isStuck = (name: string): boolean =>
          !isFree(name) &&
          probes.some(
            ({ resource, outcome, invokedMs }) =>
              resource === name && outcome !== 'aborted' && outcome !== 'granted' && invokedMs >= 202,
          );
        const stuck = ['lock', 'other', 'third'].filter(isStuck).length;
        const verdict = checkDeadlockFreedom(run.build());
        expect(verdict.status === 'violated' ? verdict.count : 0).toBe(stuck);
        const asked = ['lock', ...probes.map(({ resource }) => resource)];
        expect(verdict.status === 'ok').toBe(asked.every(isFree));
      }),
    );
  });
});
