import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryHistory } from '../checkers/arbitrary-history.ts';
import { HistoryBuilder } from '../checkers/history-builder.ts';
import type { EventPattern } from './event-pattern.ts';
import { matches } from './matches.ts';
import { countOccurrences } from './occurrences.ts';

const arbitraryEvent = fc.constantFrom(
  'command-sent',
  'command-executed',
  'reply-received',
  'acquire-granted',
  'acquire-failed',
);
const arbitraryClient = fc.constantFrom('A', 'B', 'nobody');
/** Most of these match something, most of the others nothing. */
const broadPattern = fc.record(
  { event: arbitraryEvent, client: arbitraryClient },
  { requiredKeys: ['event'] },
) as fc.Arbitrary<EventPattern>;

const narrowPattern = fc
  .record(
    {
      event: arbitraryEvent,
      client: arbitraryClient,
      node: fc.constantFrom('n1', 'n2', 'nowhere'),
      kind: fc.constantFrom('acquire', 'release', 'partition'),
      reply: fc.constantFrom('granted', 'held', 'released', 'never'),
      code: fc.constantFrom('contended', 'aborted'),
      direction: fc.constant('reply'),
      phase: fc.constantFrom('workload', 'probe'),
    },
    { requiredKeys: ['event'] },
  )
  .map((pattern) => pattern as EventPattern);

describe('countOccurrences', () => {
  it('counts what matches, one event after the other', () => {
    fc.assert(
      fc.property(arbitraryHistory, fc.array(fc.oneof(broadPattern, narrowPattern)), (history, patterns) => {
        const events = [...history.since(0)];
        expect(countOccurrences(history, patterns)).toEqual(
          patterns.map((pattern) => {
            const isOver = pattern.phase === 'probe' ? -1 : events.findIndex(({ type }) => type === 'healed');
            const counted = isOver === -1 ? events : events.slice(0, isOver);
            return counted.filter((event) => matches(event, pattern)).length;
          }),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('counts only what comes before the first event of another pattern, and nothing without such an event', () => {
    const run = new HistoryBuilder();
    run.executed(1, { client: 'A', node: 'n1', kind: 'acquire', value: 'a', before: null, changed: true });
    run.grant({ client: 'A', grantedMs: 2, untilMs: 9 });
    run.executed(3, { client: 'B', node: 'n2', kind: 'acquire', value: 'b', before: null, changed: true });
    run.grant({ client: 'B', grantedMs: 10, untilMs: 12 });
    const event = 'command-executed';
    const granted = 'acquire-granted';
    const before = (client: string): { before: EventPattern } => ({ before: { event: granted, client } });
    expect(
      countOccurrences(run.build(), [
        { event },
        { event, ...before('A') },
        { event, ...before('B') },
        { event, client: 'B', ...before('A') },
        { event, ...before('C') },
        // It is not before itself.
        { event: granted, client: 'A', ...before('A') },
        { event: granted, client: 'A', ...before('B') },
        { event, before: { event } },
      ]),
    ).toEqual([2, 1, 2, 0, 0, 0, 1, 0]);
  });

  it('counts executed commands by all of their fields', () => {
    const run = new HistoryBuilder();
    run.executed(1, { client: 'A', node: 'n1', kind: 'release', value: 'a', before: 'a', changed: true });
    run.executed(2, { client: 'A', node: 'n2', kind: 'release', value: 'a', before: null, changed: false });
    run.executed(3, { client: 'B', node: 'n2', kind: 'extend', value: 'b', before: 'b', changed: true });
    const event = 'command-executed';
    expect(
      countOccurrences(run.build(), [
        { event },
        { event, kind: 'release' },
        { event, kind: 'release', reply: 'absent' },
        { event, client: 'B', node: 'n2' },
        { event, cause: 'expired' },
      ]),
    ).toEqual([3, 2, 1, 1, 0]);
  });

  it('counts equal patterns each for itself', () => {
    const run = new HistoryBuilder();
    run.grant({ grantedMs: 1, untilMs: 2 });
    const pattern: EventPattern = { event: 'acquire-granted' };
    expect(countOccurrences(run.build(), [pattern, pattern, { ...pattern }])).toEqual([1, 1, 1]);
  });

  it('counts nothing that happens because everything is healed, but for probes', () => {
    const run = new HistoryBuilder();
    run.add(
      { type: 'node-restarted', timeUs: 1000, node: 'n1', keys: 0 },
      { type: 'workload-ended', timeUs: 2000 },
      { type: 'node-restarted', timeUs: 2000, node: 'n2', keys: 0 },
    );
    run.executed(2, { client: 'A', kind: 'release', value: 'a', before: 'a', changed: true });
    run.healed(2).grant({ grantedMs: 3, untilMs: 4 });
    run.grant({ phase: 'probe', grantedMs: 5, untilMs: 6 });
    expect(
      countOccurrences(run.build(), [
        { event: 'node-restarted' },
        { event: 'node-restarted', node: 'n2' },
        { event: 'command-executed' },
        { event: 'acquire-granted' },
        { event: 'acquire-granted', phase: 'workload' },
        { event: 'acquire-granted', phase: 'probe' },
      ]),
    ).toEqual([1, 0, 0, 0, 0, 1]);
  });
});
