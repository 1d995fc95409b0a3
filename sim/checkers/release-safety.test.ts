import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HistoryBuilder, indexesOf } from './history-builder.ts';
import { checkReleaseSafety } from './release-safety.ts';

const property = 'release-safety';

describe('the safety of releases is violated', () => {
  it('when a release deletes the key of another lease', () => {
    const run = new HistoryBuilder();
    const first = run.grant({ client: 'A', grantedMs: 10, untilMs: 110 });
    const second = run.grant({ client: 'B', grantedMs: 120, untilMs: 220 });
    const [value, before] = [run.valueOf(first), run.valueOf(second)];
    run.executed(130, { client: 'A', node: 'n3', kind: 'release', value, before, changed: true });
    const history = run.build();
    expect(checkReleaseSafety(history)).toEqual({
      property,
      status: 'violated',
      count: 1,
      violations: [
        {
          message:
            'On n3 at 130 ms, a release by A deleted the key "lock", which held the value of another lease: that of B.',
          events: indexesOf(history, ['attempt-started', { operation: second }], ['command-executed']),
        },
      ],
    });
  });

  it('when an extension prolongs the key of somebody of whom nothing else is known', () => {
    const run = new HistoryBuilder();
    run.executed(10, { client: 'A', kind: 'extend', value: 'a', before: 'b', changed: true });
    const history = run.build();
    expect(checkReleaseSafety(history)).toMatchObject({
      violations: [
        {
          message:
            'On n1 at 10 ms, an extension by A prolonged the key "lock", which held the value of another lease: that of somebody else.',
          events: indexesOf(history, ['command-executed']),
        },
      ],
    });
  });

  it.each(['release', 'extend'] as const)('when a %s carries the value of another client', (kind) => {
    const run = new HistoryBuilder();
    const lease = run.grant({ client: 'A', grantedMs: 10, untilMs: 110 });
    const value = run.valueOf(lease);
    run.executed(20, { client: 'B', kind, value, before: value, changed: true });
    const history = run.build();
    expect(checkReleaseSafety(history)).toMatchObject({
      status: 'violated',
      count: 1,
      violations: [
        {
          message: expect.stringMatching(
            /by B (deleted|prolonged) the key "lock", which held the value of another lease: that of A, by that client's own value\.$/,
          ) as string,
          events: indexesOf(history, ['attempt-started'], ['command-executed']),
        },
      ],
    });
  });

  it('when a release carries the value that another client has sent', () => {
    const run = new HistoryBuilder();
    const operation = run.invoke('A', 5);
    run.attempt({ operation, startedMs: 5, replies: {} });
    const value = run.valueOf(operation);
    run.executed(20, { client: 'A', node: 'n1', kind: 'release', value, before: value, changed: true });
    expect(checkReleaseSafety(run.build()).status).toBe('ok');
    run.executed(21, { client: 'B', node: 'n2', kind: 'release', value, before: value, changed: true });
    expect(checkReleaseSafety(run.build())).toMatchObject({ status: 'violated', count: 1 });
  });

  it.each([
    ['sent', (run: HistoryBuilder, operation: number) => run.attempt({ operation, startedMs: 5, replies: {} })],
    [
      'drew',
      (run: HistoryBuilder, operation: number) => run.settle(operation, { startedMs: 5, grantedMs: 6, untilMs: 9 }),
    ],
  ])('when a client takes over the value that another one %s first', (how, draw) => {
    const run = new HistoryBuilder();
    const operation = run.invoke('A', 5);
    draw(run, operation);
    const value = run.valueOf(operation);
    const copy = run.invoke('B', 7);
    const message = { timeUs: 7000, client: 'B', value } as const;
    run.add({ type: 'attempt-started', operation: copy, ...message });
    if (how === 'sent')
      run.add({ type: 'command-sent', command: 99, node: 'n1', kind: 'acquire', key: 'lock', ...message });
    run.executed(20, { client: 'B', kind: 'release', value, before: value, changed: true });
    expect(checkReleaseSafety(run.build())).toMatchObject({ status: 'violated', count: 1 });
  });

  it('when an extension makes a key again that was gone', () => {
    const run = new HistoryBuilder();
    run.executed(10, { client: 'A', kind: 'extend', value: 'a', before: null, changed: true });
    expect(checkReleaseSafety(run.build())).toMatchObject({
      violations: [{ message: 'On n1 at 10 ms, an extension by A made the key "lock", which was not there.' }],
    });
  });
});

describe('the safety of releases holds', () => {
  it('when releases and extensions change their own keys only', () => {
    const run = new HistoryBuilder();
    run.executed(10, { client: 'A', kind: 'extend', value: 'a', before: 'a', changed: true });
    run.executed(11, { client: 'A', kind: 'release', value: 'a', before: 'a', changed: true });
    run.executed(12, { client: 'A', kind: 'release', value: 'a', before: 'b', changed: false });
    run.executed(13, { client: 'A', kind: 'extend', value: 'a', before: null, changed: false });
    expect(checkReleaseSafety(run.build())).toEqual({ property, status: 'ok' });
  });

  it('when an acquire takes a key over, which is not its concern', () => {
    const run = new HistoryBuilder();
    run.executed(10, { client: 'A', kind: 'acquire', value: 'a', before: 'b', changed: true });
    run.executed(11, { client: 'A', kind: 'release', value: 'a', before: 'a', changed: true });
    expect(checkReleaseSafety(run.build()).status).toBe('ok');
  });
});

describe('the safety of releases is unknown', () => {
  it('when no release or extension reached a node', () => {
    const run = new HistoryBuilder();
    run.executed(10, { client: 'A', kind: 'acquire', value: 'a', before: null, changed: true });
    run.release(run.grant({ grantedMs: 20, untilMs: 110 }), 30);
    expect(checkReleaseSafety(run.build())).toEqual({
      property,
      status: 'unknown',
      reason: 'no node executed a release or an extension',
    });
  });
});

describe('the count of stray commands', () => {
  it('is that of releases and extensions that changed a key of another value', () => {
    const text = fc.constantFrom('a', 'b');
    const command = fc.record({
      client: text,
      kind: fc.constantFrom('acquire', 'commit', 'extend', 'release', 'inspect'),
      value: text,
      before: fc.option(text),
      changed: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(command), (commands) => {
        const run = new HistoryBuilder();
        commands.forEach((options, place) => run.executed(place, options));
        const verdict = checkReleaseSafety(run.build());
        const judged = commands.filter(({ kind }) => kind === 'release' || kind === 'extend');
        const stray = judged.filter(({ changed, value, before }) => changed && value !== before);
        expect(verdict.status === 'violated' ? verdict.count : 0).toBe(stray.length);
        expect(verdict.status === 'ok').toBe(judged.length > 0 && stray.length === 0);
      }),
    );
  });
});
