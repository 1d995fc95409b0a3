import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../history/event.ts';
import { type FaultInput, scenarioOf, type ScenarioInput } from '../testbed/simulated/simulated-testing.ts';
import { answersInTime } from './call-times.ts';
import { changed, type Events, eventsOf, misconduct, without } from './conduct-testing.ts';

const SLOW_N3: FaultInput = { fault: 'latency', clients: 'A', nodes: ['n3'], delay: '70ms', for: '10ms' };

describe('a library that keeps its word', () => {
  it.each<[string, Partial<ScenarioInput>]>([
    ['in a whole world', {}],
    ['with a node that answers too late', { faults: [SLOW_N3] }],
    ['cut off from all nodes', { faults: [{ fault: 'partition', clients: 'A', nodes: 'all', for: '2s' }] }],
    ['with pauses', { faults: [{ fault: 'client-pause', clients: 'A', at: '1ms', for: '300ms' }] }],
    ['with tokens', { settings: { nodes: 3, ttl: '1s', fencing: true } }],
  ])('%s', async (_, changes) => {
    const events = await eventsOf(changes);
    expect(misconduct(events, changes)).toEqual([]);
  });

  it('is not judged by a run that was cut short', async () => {
    const events = changed(await eventsOf(), 'run-ended', {}, { reason: 'interrupted' });
    expect(misconduct(without(events, 'release-done', { client: 'A' }))).toEqual([]);
  });
});

describe('timeliness', () => {
  it.each<[string, (events: Events) => Events, string]>([
    [
      'a release that never ends',
      (events) => without(events, 'release-done', { client: 'A' }),
      'release 4 by A, never ended, although its time outs leave it 50.002 ms',
    ],
    [
      'an extension that takes too long',
      (events) => {
        const granted = events.find(({ type }) => type === 'extend-granted') as HistoryEvent;
        return changed(events, 'extend-granted', {}, { timeUs: granted.timeUs + 60_000 });
      },
      'extension 3 by A, took until',
    ],
    [
      'an acquire that never ends, and is not cleaned up after',
      (events) => {
        const failed = without(events, 'acquire-failed', { client: 'B' });
        return without(failed, 'command-sent', { client: 'B', kind: 'release' });
      },
      'an attempt of acquire 2 by B, never ended',
    ],
  ])('%s', async (_, spoil, message) => {
    const found = misconduct(spoil(await eventsOf()));
    expect(found.filter((each) => each.startsWith('timeliness: '))).toEqual([expect.stringContaining(message)]);
  });

  it('leaves time for two commands to all nodes with tokens, and for pauses', async () => {
    const events = await eventsOf({ settings: { nodes: 3, ttl: '1s', nodeTimeout: '50ms', retryCount: 0 } });
    const late = changed(
      events,
      'acquire-granted',
      { client: 'A', phase: 'workload' },
      { timeUs: 80_000, validityMs: 908 },
    );
    // B failed meanwhile; only A's attempt takes longer now.
    expect(misconduct(late)[0]).toMatch(/^timeliness: .* an attempt of acquire 1 by A/);
    const fencing = { settings: { nodes: 3, ttl: '1s', nodeTimeout: '50ms', retryCount: 0, fencing: true } };
    expect(misconduct(late, fencing)).toEqual([]);
    expect(misconduct(late, { faults: [{ fault: 'client-pause', clients: 'A', for: '100ms' }] })).toEqual([]);
  });
});

describe('clean-up', () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['a failed attempt', { client: 'B', node: 'n2', kind: 'release' }],
    ['a lease that was given back', { client: 'A', node: 'n3', kind: 'release' }],
  ])('is broken by the value of %s that a node is not told to remove', async (_, where) => {
    const found = misconduct(without(await eventsOf(), 'command-sent', where));
    expect(found.filter((each) => each.startsWith('clean-up: '))).toEqual([
      expect.stringMatching(
        new RegExp(`^clean-up: .* ${String(where['client'])} asked ${String(where['node'])} to store .*was never told`),
      ),
    ]);
  });

  it('is not needed for a lease that nobody gave back', async () => {
    const workload: ScenarioInput['workload'] = [{ clients: 'A', steps: [{ acquire: { resource: 'r' } }] }];
    expect(misconduct(await eventsOf({ workload }), { workload })).toEqual([]);
  });

  it('is broken by a grant that turns up after the release was answered, and is left', () => {
    const found = (withSweep: boolean): string[] => misconduct(lateGrant(withSweep));
    expect(found(true)).toEqual([]);
    expect(found(false)).toEqual([expect.stringContaining('was not told again when its client learnt of that')]);
  });
});

describe('vote', () => {
  it.each<[string, (events: Events) => Events, string]>([
    [
      'an attempt that leaves a node out',
      (events) => without(events, 'command-sent', { client: 'B', node: 'n1', kind: 'acquire' }),
      'asked 2 of 3 nodes',
    ],
    [
      'an attempt that gives up while a quorum is possible',
      (events) => {
        // The second of three that denied it did not.
        const replies = events.filter((event) => event.type === 'reply-received' && event.client === 'B');
        const [first, second] = replies as { command: number }[];
        const once = changed(events, 'reply-received', { command: first?.command }, { reply: 'granted' });
        return without(once, 'reply-received', { command: second?.command });
      },
      'although the others could still have made it a quorum',
    ],
    [
      'an attempt that fails with a quorum',
      (events) => changed(events, 'reply-received', { client: 'B', reply: 'held' }, { reply: 'granted' }),
      'although they are a quorum, in time',
    ],
  ])('is broken by %s', async (_, spoil, message) => {
    const found = misconduct(spoil(await eventsOf()));
    expect(found.filter((each) => each.startsWith('vote: '))).toEqual([expect.stringContaining(message)]);
  });

  it('is broken by a lock that was granted before a quorum had its token', async () => {
    const settings = { nodes: 3, ttl: '1s', nodeTimeout: '50ms', retryCount: 0, fencing: true };
    const events = await eventsOf({ settings });
    const granted = events.findIndex((event) => event.type === 'acquire-granted' && event.client === 'A');
    const { value, timeUs } = events[granted] as HistoryEvent & { readonly value: string };
    const commits = ['n1', 'n2'].map((node, place): HistoryEvent => ({
      type: 'command-sent',
      timeUs,
      command: 9000 + place,
      client: 'A',
      node,
      kind: 'commit',
      key: 'lock:r',
      value,
    }));
    const answers = commits.map((commit): HistoryEvent => {
      const { command, node } = commit as HistoryEvent & { readonly command: number; readonly node: string };
      return { type: 'reply-received', timeUs, command, client: 'A', node, reply: 'committed' };
    });
    const withBefore = (more: Events): Events => [...events.slice(0, granted), ...more, ...events.slice(granted)];
    expect(misconduct(withBefore([...commits, ...answers]), { settings })).toEqual([]);
    for (const few of [commits, [...commits, answers[0] as HistoryEvent]]) {
      expect(misconduct(withBefore(few), { settings })).toEqual([
        expect.stringContaining('although too few of them have its token to be a quorum'),
      ]);
    }
  });

  it.each<[string, (events: Events) => Events, string]>([
    [
      'a lock that no quorum granted',
      (events) =>
        changed(
          changed(events, 'reply-received', { client: 'A', node: 'n1', reply: 'granted' }, { reply: 'held' }),
          'reply-received',
          { client: 'A', node: 'n2', reply: 'granted' },
          { reply: 'held' },
        ),
      'succeeded with 0 of 3 nodes for it and 2 against it, although they are no quorum',
    ],
    [
      'a lock that was not had for another reason than the votes give',
      (events) => changed(events, 'acquire-failed', { client: 'B' }, { code: 'unreachable' }),
      'which makes it contended, and not unreachable',
    ],
  ])('is broken by %s', async (_, spoil, message) => {
    const found = misconduct(spoil(await eventsOf()));
    expect(found.filter((each) => each.startsWith('vote: '))).toEqual([expect.stringContaining(message)]);
  });
});

describe('validity', () => {
  it.each([
    ['longer', 989],
    ['shorter', 900],
    ['shorter', 0],
  ])('is no %s than the time to live leaves it', async (_, validityMs) => {
    const events = changed(await eventsOf(), 'acquire-granted', { client: 'A', phase: 'workload' }, { validityMs });
    expect(misconduct(events)).toEqual([
      expect.stringMatching(new RegExp(`^validity: .* leaves ${validityMs} ms of validity, which `)),
    ]);
  });
});

/** One node, and one attempt whose grant comes when its release has been answered; then another release follows, or not. */
function lateGrant(withSweep: boolean): Events {
  const [client, node, key, value] = ['A', 'n1', 'lock:r', 'v'];
  const sent = (command: number, kind: 'acquire' | 'release', timeUs: number): HistoryEvent => ({
    type: 'command-sent',
    timeUs,
    command,
    client,
    node,
    kind,
    key,
    value,
  });
  const run = (command: number, kind: 'acquire' | 'release', reply: string, timeUs: number): HistoryEvent => ({
    type: 'command-executed',
    timeUs,
    command,
    client,
    node,
    kind,
    key,
    value,
    reply,
    before: null,
    changed: kind === 'acquire',
  });
  const received = (command: number, reply: string, timeUs: number): HistoryEvent => ({
    type: 'reply-received',
    timeUs,
    command,
    client,
    node,
    reply,
  });
  return [
    {
      type: 'run-started',
      timeUs: 0,
      format: 1,
      scenario: 's',
      title: 't',
      backend: 'test',
      seed: 1,
      clients: ['A', 'B'],
      nodes: ['n1', 'n2', 'n3'],
      quorum: 2,
      longestTtlMs: 1000,
      clockDriftFactor: 0.01,
      fencing: false,
      clocks: {},
    },
    { type: 'acquire-invoked', timeUs: 0, client, operation: 1, resource: 'r', ttlMs: 1000, phase: 'workload' },
    { type: 'attempt-started', timeUs: 0, client, operation: 1, value },
    sent(1, 'acquire', 0),
    { ...sent(2, 'acquire', 0), node: 'n2' } as HistoryEvent,
    { ...sent(3, 'acquire', 0), node: 'n3' } as HistoryEvent,
    sent(4, 'release', 50_000),
    { ...sent(5, 'release', 50_000), node: 'n2' } as HistoryEvent,
    { ...sent(6, 'release', 50_000), node: 'n3' } as HistoryEvent,
    {
      type: 'acquire-failed',
      timeUs: 50_000,
      client,
      operation: 1,
      resource: 'r',
      phase: 'workload',
      code: 'unreachable',
    },
    run(4, 'release', 'absent', 51_000),
    received(4, 'absent', 52_000),
    run(1, 'acquire', 'granted', 60_000),
    received(1, 'granted', 61_000),
    ...(withSweep ? [sent(7, 'release', 61_000)] : []),
    { type: 'run-ended', timeUs: 1_000_000, reason: 'completed' },
  ];
}

describe('answersInTime', () => {
  const SETTINGS = { nodes: 3, ttl: '1s', nodeTimeout: '50ms' } as const;
  const PATIENT = { nodes: 3, ttl: '1s', nodeTimeout: '1s' } as const;

  it.each<[boolean, string, Partial<ScenarioInput>]>([
    [true, 'a round trip that is shorter than the time out', { network: { latency: '24ms' } }],
    [false, 'one that is longer', { network: { latency: '26ms' } }],
    [true, 'two that fit into the lock', { network: { latency: '240ms' }, settings: { ...PATIENT, fencing: true } }],
    [false, 'two that outlast it', { network: { latency: '250ms' }, settings: { ...PATIENT, fencing: true } }],
    [true, 'one of them alone', { network: { latency: '250ms' }, settings: PATIENT }],
    [false, 'one that is longer by a fast clock', { network: { latency: '24ms' }, clients: { A: { rate: 1.1 } } }],
  ])('is %s for %s', (expected, _, changes) => {
    expect(answersInTime(scenarioOf({ settings: SETTINGS, ...changes }))).toBe(expected);
  });
});
