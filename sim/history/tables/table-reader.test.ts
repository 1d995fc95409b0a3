import { describe, expect, it } from 'vitest';
import { HistoryBuilder } from '../../checkers/history-builder.ts';
import type { HistoryEvent } from '../event.ts';
import { HistoryLog } from '../history-log.ts';
import type { Column } from './column.ts';
import { FAILED, GRANTED, NONE, PENDING, RELEASED, RELEASING, type RunTables, WITHDRAWN } from './run-tables.ts';
import { readTables, tablesOf } from './table-reader.ts';

function rowsOf(column: Column): number[] {
  return Array.from({ length: column.length }, (_, row) => column.get(row));
}

/** The tables of a run in which A holds `lock` from 10 ms to 110 ms (by its validity), and more is added. */
function tablesWith(add: (run: HistoryBuilder, lease: number) => unknown): RunTables {
  const run = new HistoryBuilder();
  add(run, run.grant({ client: 'A', invokedMs: 3, startedMs: 5, grantedMs: 10, untilMs: 110 }));
  return readTables(run.build());
}

describe('acquires', () => {
  it('have their outcome, or are pending', () => {
    const tables = tablesWith((run) => {
      run.fail(run.invoke('B', 20), 30, 'contended');
      run.fail(run.invoke('B', 31, { resource: 'other' }), 32, 'unreachable');
      run.fail(run.invoke('C', 33), 34, 'expired');
      run.fail(run.invoke('C', 35), 36, 'aborted');
      run.invoke('C', 37);
    });
    const { acquires, resources, clients } = tables;
    expect(rowsOf(acquires.outcome)).toEqual([GRANTED, FAILED, FAILED, FAILED, WITHDRAWN, PENDING]);
    expect(rowsOf(acquires.resource).map((name) => resources.textOf(name))[2]).toBe('other');
    expect(rowsOf(acquires.client).map((name) => clients.textOf(name))).toEqual(['A', 'B', 'B', 'C', 'C', 'C']);
    expect(rowsOf(acquires.lease)).toEqual([0, NONE, NONE, NONE, NONE, NONE]);
    expect(tables.operations).toBe(6);
  });
});

describe('windows', () => {
  it('end with the validity', () => {
    const { windows } = tablesWith(() => undefined);
    expect([rowsOf(windows.fromUs), rowsOf(windows.untilUs)]).toEqual([[10_000], [110_000]]);
  });

  it('end when release is called, be it pending, repeated or late', () => {
    const untilUs = (releases: readonly number[]): number =>
      tablesWith((run, lease) => releases.forEach((atMs) => run.release(lease, atMs))).windows.untilUs.get(0);
    expect(untilUs([50])).toBe(50_000);
    expect(untilUs([50, 60])).toBe(50_000);
    expect(untilUs([200])).toBe(110_000);
  });

  it('are prolonged by extensions that were granted in time, and never shortened', () => {
    const { windows } = tablesWith((run, lease) => {
      run.extend(lease, 20, 25, 130).extend(lease, 30, 35, 120).extend(lease, 40, 130, 190).extend(lease, 50, 55);
    });
    expect([rowsOf(windows.fromUs), rowsOf(windows.untilUs)]).toEqual([[10_000], [190_000]]);
  });

  it('begin again with an extension that was granted too late', () => {
    const { windows, leases } = tablesWith((run, lease) => {
      run.extend(lease, 100, 111, 150).release(lease, 140);
    });
    expect([rowsOf(windows.fromUs), rowsOf(windows.untilUs)]).toEqual([
      [10_000, 111_000],
      [110_000, 140_000],
    ]);
    expect([leases.firstWindow.get(0), leases.lastWindow.get(0)]).toEqual([0, 1]);
  });
});

describe('windows by clocks that change', () => {
  const stretchesMs = ({ windows }: RunTables): number[][] =>
    rowsOf(windows.fromUs).map((fromUs, row) => [fromUs / 1000, windows.untilUs.get(row) / 1000]);

  it.each<[string, (run: HistoryBuilder, lease: number) => unknown, number[][]]>([
    ['a slow clock', (run) => run.clock('A', 60, { rate: 0.5 }), [[10, 160]]],
    ['a fast clock', (run) => run.clock('A', 60, { rate: 2 }), [[10, 85]]],
    ['slow for a while', (run) => run.clock('A', 60, { rate: 0.5 }).clock('A', 80, {}), [[10, 120]]],
    ['a step back', (run) => run.clock('A', 60, { byMs: -20 }), [[10, 130]]],
    ['a step forward', (run) => run.clock('A', 60, { byMs: 20 }), [[10, 90]]],
    ['a step beyond the end', (run) => run.clock('A', 60, { byMs: 51 }), [[10, 60]]],
    [
      'a step to the end and back',
      (run) => run.clock('A', 60, { byMs: 60 }).clock('A', 60, { byMs: -60 }),
      [[10, 110]],
    ],
    [
      'a step beyond the end and back, later',
      (run) => run.clock('A', 60, { byMs: 60 }).clock('A', 65, { byMs: -60 }),
      [
        [10, 60],
        [65, 110],
      ],
    ],
    [
      'a step back after the end',
      (run) => run.clock('A', 120, { byMs: -30 }),
      [
        [10, 110],
        [120, 140],
      ],
    ],
    ['a step back after the end that is too short', (run) => run.clock('A', 120, { byMs: -10 }), [[10, 110]]],
    [
      'a step back after release was called',
      (run, lease) => run.release(lease, 50).clock('A', 60, { byMs: -30 }),
      [[10, 50]],
    ],
    [
      'a clock after it was extended',
      (run, lease) => run.extend(lease, 20, 25, 130).clock('A', 70, { rate: 0.5 }),
      [[10, 190]],
    ],
    [
      'a clock before it is extended',
      (run, lease) => run.clock('A', 70, { rate: 0.5 }).extend(lease, 80, 90, 200),
      [[10, 200]],
    ],
    ['the clock of another client', (run) => run.clock('B', 60, { rate: 0.5 }), [[10, 110]]],
  ])('end where the clock of the holder says: %s', (_what, add, expected) => {
    expect(stretchesMs(tablesWith(add))).toEqual(expected);
  });

  it('follow the clock that the library reads, from the rate with which the run began', () => {
    const run = new HistoryBuilder({ clocks: { A: { clock: 'wall', rate: 2 } } });
    run.grant({ client: 'A', grantedMs: 10, untilMs: 110 });
    run.add({ type: 'client-clock-changed', timeUs: 50_000, client: 'A', clock: 'monotonic', byMs: 0, rate: 1 });
    run.clock('A', 60, { rate: 1 });
    expect(stretchesMs(readTables(run.build()))).toEqual([[10, 160]]);
  });
});

describe('leases', () => {
  it('begin with the attempt that was granted, or else with the call', () => {
    const tables = tablesWith((run) => run.grant({ invokedMs: 200, startedMs: null, grantedMs: 210, untilMs: 300 }));
    expect(rowsOf(tables.leases.startedUs)).toEqual([5000, 200_000]);
    expect([tables.startedIndex(0), tables.grantedIndex(0), tables.grantedUs(0)]).toEqual([2, 3, 10_000]);
    expect(tables.startedIndex(1)).toBe(4);
  });

  it.each([
    ['with their keys', () => undefined, 112],
    ['when their release is done', (run: HistoryBuilder, lease: number) => run.release(lease, 20, 30), 30],
    ['with their keys while release is pending', (run: HistoryBuilder, lease: number) => run.release(lease, 20), 112],
    ['later once extended', (run: HistoryBuilder, lease: number) => run.extend(lease, 20, 50, 150), 152],
    ['later though the extension failed', (run: HistoryBuilder, lease: number) => run.extend(lease, 20, 50), 152],
    [
      'no later by what was refused when keys were gone',
      (run: HistoryBuilder, lease: number) => run.extend(lease, 112, 113),
      112,
    ],
    ['never with an extension pending', (run: HistoryBuilder, lease: number) => run.extend(lease, 20), Infinity],
    [
      'when their release is done, whatever extension is settled later or pending',
      (run: HistoryBuilder, lease: number) => run.extend(lease, 20).extend(lease, 21, 50).release(lease, 22, 30),
      30,
    ],
  ])('are gone %s', (_when, add, goneMs) => {
    expect(tablesWith(add).leases.goneUs.get(0)).toBe(goneMs * 1000);
  });

  it('know how far their release has come', () => {
    expect(tablesWith((run, lease) => run.release(lease, 20)).leases.state.get(0)).toBe(RELEASING);
    expect(tablesWith((run, lease) => run.release(lease, 20, 30)).leases.state.get(0)).toBe(RELEASED);
  });

  it('leave keys for longer where clocks drift', () => {
    const run = new HistoryBuilder({ clockDriftFactor: 0.5 });
    run.grant({ grantedMs: 10, untilMs: 50 });
    expect(readTables(run.build()).leases.goneUs.get(0)).toBe(162_000);
  });
});

describe('attempts', () => {
  it('end with their clean-up, the next attempt or the outcome, whichever is first', () => {
    const { attempts } = tablesWith((run) => {
      const operation = run.invoke('B', 50);
      run.attempt({ operation, startedMs: 50, replies: {}, endedMs: 60 });
      run.attempt({ operation, startedMs: 70, replies: {} }, 2);
      run.attempt({ operation, startedMs: 80, replies: {} }, 3).fail(operation, 90);
      run.attempt({ operation: run.invoke('C', 95), startedMs: 95, replies: {} });
    });
    expect(rowsOf(attempts.endedUs)).toEqual([10_000, 60_000, 80_000, 90_000, Infinity]);
    expect(rowsOf(attempts.previous)).toEqual([NONE, NONE, 1, 2, NONE]);
  });

  it('take answers for their own, though others start between start and command', () => {
    const run = new HistoryBuilder();
    const [one, other] = [run.invoke('A', 1), run.invoke('B', 1)];
    const [value, otherValue] = [run.valueOf(one), run.valueOf(other)];
    const message = { client: 'A', node: 'n1' };
    const sent = { ...message, type: 'command-sent', timeUs: 3000, kind: 'acquire', key: 'lock' } as const;
    run.add(
      { type: 'attempt-started', timeUs: 2000, client: 'A', operation: one, value },
      { type: 'attempt-started', timeUs: 2000, client: 'B', operation: other, value: otherValue },
      { ...sent, command: 1, value },
      { ...sent, command: 2, value: otherValue },
      { ...sent, command: 3, value },
      { ...message, type: 'reply-received', timeUs: 4000, command: 1, reply: 'granted' },
      { ...message, type: 'reply-received', timeUs: 4000, command: 3, reply: 'held' },
      { ...message, type: 'reply-received', timeUs: 4000, command: 2, reply: 'held' },
      // Twice the same reply is one answer.
      { ...message, type: 'reply-received', timeUs: 4000, command: 2, reply: 'held' },
    );
    expect(rowsOf(readTables(run.build()).attempts.answers)).toEqual([2, 1]);
  });
});

describe('a history that contradicts itself', () => {
  const call = { client: 'A', operation: 9 } as const;
  const cases: readonly (readonly [HistoryEvent, string])[] = [
    [
      { type: 'acquire-invoked', timeUs: 11_000, ...call, operation: 1, resource: 'lock', ttlMs: 1, phase: 'workload' },
      '(acquire-invoked) uses operation 1 again',
    ],
    [
      { type: 'acquire-failed', timeUs: 11_000, ...call, resource: 'lock', phase: 'workload', code: 'expired' },
      '(acquire-failed) names acquire 9, which was not invoked',
    ],
    [
      { type: 'attempt-started', timeUs: 11_000, ...call, operation: 1, value: 'v' },
      '(attempt-started) comes after the outcome of acquire 1',
    ],
    [
      { type: 'extend-invoked', timeUs: 11_000, ...call, lease: 9, ttlMs: 100 },
      '(extend-invoked) names lease 9, which was not granted',
    ],
    [
      { type: 'extend-failed', timeUs: 11_000, ...call, lease: 1, code: 'expired' },
      '(extend-failed) settles extension 9, which is not under way',
    ],
    [
      { type: 'release-invoked', timeUs: 11_000, ...call, lease: 9 },
      '(release-invoked) names lease 9, which was not granted',
    ],
    [
      { type: 'release-done', timeUs: 11_000, ...call, lease: 1 },
      '(release-done) settles the release of lease 1, which was not invoked',
    ],
    [
      { type: 'section-left', timeUs: 11_000, client: 'A', lease: 1, resource: 'lock' },
      '(section-left) leaves the section of lease 1, which is not entered',
    ],
    [{ type: 'run-ended', timeUs: 11_000, reason: 'completed' }, '(run-ended) comes after the end of the run'],
    [
      { type: 'client-clock-changed', timeUs: 11_000, client: 'D', clock: 'wall', byMs: 1, rate: 1 },
      '(client-clock-changed) names client D, whose clock run-started does not tell',
    ],
    [
      { type: 'client-clock-changed', timeUs: 11_000, client: 'A', clock: 'wall', byMs: 0, rate: 0 },
      '(client-clock-changed) has the rate 0: it must be more than 0',
    ],
  ];

  it.each(cases)('%j', (event, flaw) => {
    const tables = tablesWith((run) => run.add(event));
    expect(tables.flaw).toMatch(/^event [45] /);
    expect(tables.flaw?.replace(/^event [45] /, '')).toBe(flaw);
  });

  it('is one whose events are out of order in time', () => {
    const log = new HistoryLog();
    for (const event of new HistoryBuilder().healed(5).build(null).since(0)) log.record(event);
    log.record({ type: 'client-paused', timeUs: 4999, client: 'A' });
    expect(readTables(log).flaw).toBe('event 2 (client-paused) is earlier than an event before it');
  });

  it.each<HistoryEvent>([
    { type: 'command-sent', timeUs: 0, command: 1, client: 'A', node: 'n1', kind: 'acquire', key: 'k', value: 'v' },
    {
      type: 'command-executed',
      timeUs: 0,
      command: 1,
      client: 'A',
      node: 'n1',
      kind: 'acquire',
      key: 'k',
      value: 'v',
      reply: 'granted',
      before: null,
      changed: true,
    },
    { type: 'reply-received', timeUs: 0, command: 1, client: 'A', node: 'n1', reply: 'granted' },
  ])('is one in which a message comes before the start, after the end or too early: $type', (event) => {
    const flawOf = (...events: HistoryEvent[]): string | null => {
      const log = new HistoryLog();
      for (const each of events) log.record(each);
      return readTables(log).flaw;
    };
    const started = new HistoryBuilder().build(null).at(0);
    expect(flawOf(event)).toBe(`event 0 (${event.type}) comes before the run has started`);
    const ended: HistoryEvent = { type: 'run-ended', timeUs: 0, reason: 'completed' };
    expect(flawOf(started, ended, event)).toBe(`event 2 (${event.type}) comes after the end of the run`);
    expect(flawOf(started, { ...event, timeUs: 2 } as HistoryEvent, event)).toBe(
      `event 2 (${event.type}) is earlier than an event before it`,
    );
    expect(flawOf(started, event, event, ended)).toBeNull();
  });

  it('is one that does not begin with the start of the run, or begins twice', () => {
    const log = new HistoryLog();
    log.record({ type: 'healed', timeUs: 1 });
    expect(readTables(log).flaw).toBe('event 0 (healed) comes before the run has started');
    const started = new HistoryBuilder().build(null).at(0);
    const twice = new HistoryLog();
    twice.record(started);
    twice.record(started);
    expect(readTables(twice).flaw).toBe('event 1 (run-started) starts the run again');
  });

  it('is one in which a section is entered twice', () => {
    const { flaw } = tablesWith((run, lease) => run.section(lease, 20).section(lease, 30));
    expect(flaw).toBe('event 5 (section-entered) enters the section of lease 1 a second time');
  });

  it('is not one with everything in order', () => {
    const { flaw } = tablesWith((run, lease) => {
      run.section(lease, 10, 20).section(lease, 20, 30).extend(lease, 30, 40, 140).release(lease, 50, 60);
    });
    expect(flaw).toBeNull();
  });
});

describe('tablesOf', () => {
  it('reads a history once, and again when it has grown', () => {
    const log = new HistoryBuilder().build(null);
    const tables = tablesOf(log);
    expect(tablesOf(log)).toBe(tables);
    log.record({ type: 'run-ended', timeUs: 1, reason: 'completed' });
    expect(tablesOf(log)).not.toBe(tables);
    expect(tablesOf(log).endReason).toBe('completed');
  });
});
