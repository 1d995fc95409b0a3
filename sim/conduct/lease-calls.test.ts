import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../history/event.ts';
import type { FaultInput, ScenarioInput } from '../testbed/simulated/simulated-testing.ts';
import { changed, type Events, eventsOf, misconduct, without } from './conduct-testing.ts';

type Steps = NonNullable<ScenarioInput['workload']>[number]['steps'];

function holding(
  steps: Steps,
  faults: FaultInput[] = [],
  settings: Partial<ScenarioInput['settings']> = {},
): Partial<ScenarioInput> {
  return {
    settings: { nodes: 3, ttl: '1s', nodeTimeout: '50ms', retryCount: 0, ...settings },
    workload: [{ clients: 'A', steps: [{ acquire: { resource: 'r' } }, ...steps] }],
    faults,
  };
}

function of(found: readonly string[], rule: string): string[] {
  return found.filter((each) => each.startsWith(`${rule}: `));
}

const cutOff = (at: string, nodes: 'all' | string[] = 'all'): FaultInput => ({
  fault: 'partition',
  clients: 'A',
  nodes,
  at,
  for: '5s',
});
/** The nodes' answers come only when the lease is over. */
const LATE = holding(
  [{ work: '950ms' }, { extend: '1s' }, { rest: '100ms' }, 'release'],
  [{ fault: 'latency', clients: 'A', nodes: 'all', delay: '45ms', direction: 'reply', at: '900ms', for: '1s' }],
);
const OVER = holding([{ work: '1100ms' }, { extend: '1s' }, 'release']);
const LOST = holding([{ work: '100ms' }, { extend: '1s' }, { work: '10ms' }, 'release'], [cutOff('50ms')]);
const UNCONFIRMED = holding([{ work: '100ms' }, 'release'], [cutOff('50ms', ['n1', 'n2'])]);
const FLUSHED = holding(
  [{ work: '100ms' }, { extend: '1s' }, 'release'],
  [{ fault: 'flush', nodes: ['n1', 'n2'], at: '50ms' }],
);

describe('a library that does as its leases say', () => {
  it.each<[string, Partial<ScenarioInput>, string[]]>([
    ['an extension that is granted', {}, ['extend-granted', 'release-done']],
    ['one that is granted when the lease is over', LATE, ['extend-failed expired', 'release-done']],
    ['one of a lease that is over', OVER, ['extend-failed expired', 'release-done']],
    ['one that no node answers', LOST, ['extend-failed unreachable', 'release-failed unreachable']],
    ['one that nodes refuse', FLUSHED, ['extend-failed extension-refused', 'release-done']],
    ['a release that no quorum confirms', UNCONFIRMED, ['release-failed unreachable']],
    [
      'a release of a lease that is over, which no quorum confirms',
      holding([{ work: '1100ms' }, 'release'], [cutOff('50ms')]),
      ['release-done'],
    ],
  ])('keeps its word with %s', async (_, changes, outcomes) => {
    const events = await eventsOf(changes);
    expect(misconduct(events, changes)).toEqual([]);
    const told = events.flatMap((event) => {
      if (!/^(extend-granted|extend-failed|release-done|release-failed)$/.test(event.type)) return [];
      return [event.type + ('code' in event ? ` ${event.code}` : '')];
    });
    expect(told.slice(0, outcomes.length)).toEqual(outcomes);
  });
});

/** The extension, or the release, ends otherwise, and at that time. */
function ending(
  from: 'extend-granted' | 'extend-failed' | 'release-done' | 'release-failed',
  values: Readonly<Record<string, unknown>>,
): (events: Events) => Events {
  return (events) => {
    const index = events.findIndex(({ type }) => type === from);
    expect(index).toBeGreaterThan(0);
    const end: HistoryEvent = { ...(events[index] as HistoryEvent), ...values };
    return [...events.slice(0, index), end, ...events.slice(index + 1)];
  };
}

const REFUSED = { type: 'extend-failed', code: 'extension-refused' };
const GRANTED = { type: 'extend-granted', validityMs: 900, validUntilUs: 2_000_000 };

/** Three extensions, of which the first two are under way at once. */
const EXTENDING: Steps = [
  { extend: '1s', beside: true },
  { extend: '1s' },
  { work: '10ms' },
  { extend: '1s' },
  { work: '10ms' },
  'release',
];

describe('a limit of extensions', () => {
  it.each<[string, number, Steps, FaultInput[], string[]]>([
    ['of none', 0, EXTENDING, [], ['refused', 'refused', 'refused']],
    ['of one, which those under way may reach', 1, EXTENDING, [], ['refused', 'granted', 'refused']],
    ['that is not reached', 3, EXTENDING, [], ['granted', 'granted', 'granted']],
    [
      'towards which those that failed do not count',
      1,
      [{ work: '100ms' }, { extend: '1s' }, { extend: '1s' }, 'release'],
      [cutOff('50ms')],
      ['unreachable', 'unreachable'],
    ],
  ])('is kept: %s', async (_, extensionLimit, steps, faults, outcomes) => {
    const changes = holding(steps, faults, { extensionLimit });
    const events = await eventsOf(changes);
    const ends = events.flatMap((event) => {
      if (event.type === 'extend-granted') return ['granted'];
      return event.type === 'extend-failed' ? [event.code.replace('extension-', '')] : [];
    });
    expect(ends).toEqual(outcomes);
    expect(misconduct(events, changes)).toEqual([]);
  });

  it.each([
    ['was heeded too late', 2, 1, 'asked nodes, although it had to be refused as extension-refused'],
    ['was heeded too soon', 1, 3, 'asked no node and ended as extension-refused, where its nodes had to be asked'],
  ])('is broken where it %s', async (_, heeded, extensionLimit, message) => {
    const steps: Steps = [{ extend: '1s' }, { extend: '1s' }, { extend: '1s' }, 'release'];
    const events = await eventsOf(holding(steps, [], { extensionLimit: heeded }));
    const found = misconduct(events, holding(steps, [], { extensionLimit }));
    expect(of(found, 'extension')).toEqual([expect.stringContaining(message)]);
  });
});

describe('extension', () => {
  it.each<[string, Partial<ScenarioInput>, (events: Events) => Events, string]>([
    ['fails with a quorum', {}, ending('extend-granted', REFUSED), 'although they are a quorum, in time'],
    [
      'is granted without one',
      LOST,
      ending('extend-failed', GRANTED),
      'ended as granted with 0 nodes for it and 0 against it, although they are no quorum',
    ],
    ['is granted by nodes that lost it', FLUSHED, ending('extend-failed', GRANTED), 'although they are no quorum'],
    ['is granted when the lease is over', LATE, ending('extend-failed', GRANTED), 'although the lease was over'],
    ['is refused where nobody could be reached', LOST, ending('extend-failed', REFUSED), 'which makes it unreachable'],
    [
      'is unreachable where nodes refused it',
      FLUSHED,
      ending('extend-failed', { code: 'unreachable' }),
      'which makes it extension-refused',
    ],
    [
      'leaves what it prolonged when the lease was over',
      LATE,
      (events) => {
        const failed = events.find(({ type }) => type === 'extend-failed') as HistoryEvent;
        return without(events, 'command-sent', { kind: 'release', timeUs: failed.timeUs });
      },
      'left on the nodes what it may have prolonged there',
    ],
    [
      'leaves a node out',
      {},
      (events) => without(events, 'command-sent', { kind: 'extend', node: 'n2' }),
      'sent 2 of 3 commands',
    ],
    ['asks nobody', {}, (events) => without(events, 'command-sent', { kind: 'extend' }), 'its nodes had to be asked'],
    [
      'of a lease that is over ends otherwise',
      OVER,
      ending('extend-failed', REFUSED),
      'asked no node and ended as extension-refused, where it had to end as expired',
    ],
    [
      'gives up too soon',
      {},
      (events) => {
        const granted = events.find(({ type }) => type === 'extend-granted') as HistoryEvent;
        const early = without(events, 'reply-received', { timeUs: granted.timeUs });
        return ending('extend-granted', { type: 'extend-failed', code: 'unreachable' })(early);
      },
      'although the others could still have made it a quorum',
    ],
    [
      'is called by nobody',
      {},
      (events) => without(without(events, 'extend-invoked', {}), 'extend-granted', {}),
      'was extended on n1',
    ],
  ])('is wrong if it %s', async (_, changes, spoil, message) => {
    const events = await eventsOf(changes);
    expect(of(misconduct(spoil(events), changes), 'extension')).toEqual([expect.stringContaining(message)]);
  });

  it('must be refused, before a node is asked, where it asks for more than a restart guard reckons with', async () => {
    const found = misconduct(await eventsOf(), { settings: { nodes: 3, ttl: '1s', restartGuard: '900ms' } });
    expect(found).toContainEqual(expect.stringMatching(/^refusal: /));
  });

  it.each([
    ['longer', 999],
    ['shorter', 970],
  ])('is granted for no %s than its time to live allows', async (_, validityMs) => {
    const events = changed(await eventsOf(), 'extend-granted', {}, { validityMs });
    expect(of(misconduct(events), 'validity')).toEqual([
      expect.stringContaining(`leaves ${validityMs} ms of validity, which must be from`),
    ]);
  });
});

describe('release', () => {
  const DONE = { type: 'release-done' };
  it.each<[string, Partial<ScenarioInput>, (events: Events) => Events, string]>([
    [
      'fails with a quorum',
      {},
      ending('release-done', { type: 'release-failed', code: 'unreachable' }),
      'failed as unreachable with 2 nodes for it and 0 against it, although they are a quorum',
    ],
    ['succeeds without one', UNCONFIRMED, ending('release-failed', DONE), 'although they are no quorum'],
    [
      'fails for a strange reason',
      UNCONFIRMED,
      ending('release-failed', { code: 'contended' }),
      'which makes it unreachable',
    ],
    [
      'leaves a node out',
      {},
      (events) => without(events, 'command-sent', { kind: 'release', client: 'A', node: 'n2' }),
      'sent 2 of 3 commands',
    ],
    [
      'fails although the lease is over',
      holding([{ work: '1100ms' }, 'release'], [cutOff('50ms')]),
      ending('release-done', { type: 'release-failed', code: 'unreachable' }),
      'although the lease was over',
    ],
    [
      'is sent without a call',
      {},
      (events) => {
        const sent = events.find(
          (event) => event.type === 'command-sent' && event.kind === 'release' && event.client === 'A',
        );
        const early = { ...(sent as HistoryEvent), timeUs: 50_000 } as HistoryEvent;
        return [...events, early].sort((one, other) => one.timeUs - other.timeUs);
      },
      'although its holder relied on it',
    ],
  ])('is wrong if it %s', async (_, changes, spoil, message) => {
    const events = await eventsOf(changes);
    expect(of(misconduct(spoil(events), changes), 'release')).toEqual([expect.stringContaining(message)]);
  });
});
