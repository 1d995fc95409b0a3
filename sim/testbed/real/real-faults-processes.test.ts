import { beforeAll, describe, expect, it } from 'vitest';
import type { EventOf, FaultInput, ScenarioInput } from '../simulated/simulated-testing.ts';
import { BUSY, realStory, type RealStory, sideBySide, whyNoRealRuns } from './real-testing.ts';

const obstacle = whyNoRealRuns();

type Script = NonNullable<ScenarioInput['workload']>[number];

/** H takes one lock, which lives longer than it takes a busy machine to get through the faults. */
function holding(ttl: string): Script {
  return { clients: 'H', steps: [{ acquire: { resource: 'held', ttl } }, { work: '1s' }] };
}

const ONLY_BUSY: Script = { ...BUSY, clients: ['A', 'B'] };
const WHEN_HELD = { event: 'acquire-granted', client: 'H' } as const;
const REST = '200ms';

function afterEnd(nth: number): { after: { event: 'fault-ended'; nth: number; delay: string } } {
  return { after: { event: 'fault-ended', nth, delay: REST } };
}

const PAUSES: readonly FaultInput[] = [
  { fault: 'client-pause', clients: 'A', at: '200ms', for: '400ms' },
  { fault: 'client-pause', clients: ['A', 'B'], after: { event: 'fault-started', delay: '200ms' }, for: '400ms' },
  { fault: 'server-pause', nodes: 'n1', for: '300ms', ...afterEnd(2) },
  // On a node that stands still: it takes effect when the node goes on.
  { fault: 'flush', nodes: 'n1', after: { event: 'fault-started', kind: 'server-pause', delay: '50ms' } },
  // Until the end of the workload; the crash ends it.
  { fault: 'server-pause', nodes: 'n2', ...afterEnd(4) },
  {
    fault: 'crash',
    nodes: 'n2',
    how: 'terminate',
    for: '200ms',
    after: { event: 'fault-started', kind: 'server-pause', nth: 2, delay: '100ms' },
  },
];

const LOSSES: readonly FaultInput[] = [
  { fault: 'crash', nodes: 'n1', after: { ...WHEN_HELD, delay: '200ms' }, for: '400ms' },
  { fault: 'crash', nodes: ['n1', 'n2'], after: { event: 'fault-started', delay: '200ms' }, for: '400ms' },
  { fault: 'flush', nodes: ['n1', 'n3'], ...afterEnd(2) },
];

/** What one crash leaves of one key that is 200 ms old. */
const SURVIVALS = [
  ['rdb', 'kill', 0],
  ['rdb', 'terminate', 1],
  ['aof-always', 'power-loss', 1],
  ['aof-everysec', 'kill', 1],
  ['aof-everysec', 'power-loss', 0],
] as const;

/** What a promotion leaves of one key that is 500 ms old. */
const PROMOTIONS = [
  [undefined, 0],
  ['1500ms', 0],
  ['100ms', 1],
  ['0ms', 1],
] as const;

const EVICTIONS = ['volatile-ttl', 'allkeys-random'] as const;

describe.skipIf(obstacle !== null)(`faults of processes, for real${obstacle === null ? '' : `: ${obstacle}`}`, () => {
  let pauses: RealStory;
  let losses: RealStory;
  let full: RealStory;
  let survivals: readonly RealStory[];
  let promotions: readonly RealStory[];
  let evictions: readonly RealStory[];

  beforeAll(async () => {
    /** Runs until H's lock is over and, if there is such a script, A has done what it does after something. */
    const small = (
      nodes: ScenarioInput['nodes'],
      faults: readonly FaultInput[],
      ...scripts: Script[]
    ): Promise<RealStory> =>
      realStory({
        settings: { nodes: 1, ttl: '300ms' },
        nodes,
        clients: scripts.length === 0 ? { H: null } : { H: null, A: null },
        workload: [holding('3s'), ...scripts],
        faults: [...faults],
        limit: '10s',
      });
    const later = <Delay extends string>(delay: Delay) => ({ after: { ...WHEN_HELD, delay } });
    // A connection that broke may take a second to come back.
    const lockOnce = (after: Script['after']): Script => ({
      clients: 'A',
      after,
      steps: [
        { acquire: { resource: '{client}', retryCount: 300, retryDelay: '10ms', retryJitter: '0ms' } },
        'write',
        'release',
      ],
    });
    const stories = await sideBySide(2, [
      () => realStory({ faults: [...PAUSES], limit: '8s' }),
      () =>
        realStory({
          clients: { A: null, B: null, H: null },
          workload: [holding('6s'), ONLY_BUSY],
          faults: [...LOSSES],
          limit: '8s',
        }),
      () =>
        small(
          {},
          [{ fault: 'eviction', nodes: 'n1', for: '400ms', ...later('100ms') }],
          { ...BUSY, clients: 'A', repeat: 10, after: { event: 'fault-started' } },
          lockOnce({ event: 'fault-ended' }),
        ),
      ...SURVIVALS.map(
        ([persistence, how]) =>
          () =>
            small({ persistence }, [{ fault: 'crash', nodes: 'n1', how, for: '200ms', ...later('200ms') }]),
      ),
      ...PROMOTIONS.map(
        ([lag]) =>
          () =>
            small(
              { replica: true },
              [{ fault: 'promotion', nodes: 'n1', ...(lag === undefined ? {} : { lag }), ...later('500ms') }],
              lockOnce({ event: 'node-restarted' }),
            ),
      ),
      ...EVICTIONS.map(
        (maxmemoryPolicy) => () =>
          small(
            { maxmemoryPolicy },
            [{ fault: 'eviction', nodes: 'n1', for: '200ms', ...later('200ms') }],
            lockOnce({ event: 'fault-started' }),
          ),
      ),
    ]);
    [pauses, losses, full] = stories as [RealStory, RealStory, RealStory];
    survivals = stories.slice(3, 3 + SURVIVALS.length);
    promotions = stories.slice(3 + SURVIVALS.length, -EVICTIONS.length);
    evictions = stories.slice(-EVICTIONS.length);
  });

  /** Where H's key went before its time. */
  function lostKeys(story: RealStory): string[] {
    return story
      .all('key-lost', { key: 'lock:held' })
      .filter(({ cause }) => cause !== 'expired')
      .map(({ node, cause }) => `${node} ${cause}`);
  }

  function deedsOf(story: RealStory, client: string, fromUs: number, untilUs: number): string[] {
    const own = ['command-sent', 'reply-received', 'acquire-invoked', 'write-sent', 'section-left'];
    return story.events.flatMap((event) =>
      event.timeUs > fromUs &&
      event.timeUs < untilUs &&
      'client' in event &&
      event.client === client &&
      own.includes(event.type)
        ? [event.type]
        : [],
    );
  }

  it('client-pause stops a client altogether, and nobody else, until the last of two that overlap is healed', () => {
    const changes = pauses.events.filter((event) => event.type === 'client-paused' || event.type === 'client-resumed');
    expect(changes.map((event) => `${event.type} ${event.client}`).slice(0, 2)).toEqual([
      'client-paused A',
      'client-paused B',
    ]);
    expect(changes).toHaveLength(4);
    const second = pauses.all('fault-ended').find(({ fault }) => fault === 2);
    for (const client of ['A', 'B']) {
      const { timeUs: from } = pauses.one('client-paused', { client });
      const { timeUs: until } = pauses.one('client-resumed', { client });
      expect(deedsOf(pauses, client, from, until)).toEqual([]);
      expect(until).toBeLessThanOrEqual(second?.timeUs ?? 0);
      // Node's timers count whole milliseconds.
      expect(until - from).toBeGreaterThan(399_000);
      expect(pauses.all('acquire-granted', { client }).some(({ timeUs }) => timeUs > until)).toBe(true);
    }
    const { timeUs } = pauses.one('client-paused', { client: 'A' });
    expect(deedsOf(pauses, 'B', timeUs, timeUs + 190_000).length).toBeGreaterThan(0);
  });

  it('server-pause lets requests wait, and answers them when it is healed', () => {
    const [paused] = pauses.all('node-paused', { node: 'n1' });
    const [resumed] = pauses.all('node-resumed', { node: 'n1' });
    const from = paused?.timeUs ?? 0;
    const until = resumed?.timeUs ?? 0;
    // Node's timers count whole milliseconds.
    expect(until - from).toBeGreaterThan(299_000);
    const waited = pauses.all('command-sent', { node: 'n1' }).filter(({ timeUs }) => timeUs > from && timeUs < until);
    expect(waited.length).toBeGreaterThan(0);
    for (const command of waited) {
      expect(pauses.executionOf(command)?.timeUs).toBeGreaterThanOrEqual(until);
      expect(pauses.answerTo(command)).toBeDefined();
    }
    const others = pauses
      .all('command-executed', { node: 'n2' })
      .filter(({ timeUs }) => timeUs > from && timeUs < until);
    expect(others.length).toBeGreaterThan(0);
  });

  it('what is done to a server that stands still takes effect when it goes on', () => {
    const [resumed] = pauses.all('node-resumed', { node: 'n1' });
    expect(pauses.started('flush').timeUs).toBeGreaterThanOrEqual(resumed?.timeUs ?? 0);
  });

  it('server-pause is over when the server dies, even if it is only asked to terminate', () => {
    const { timeUs } = pauses.one('node-crashed', { node: 'n2' });
    expect(pauses.all('node-resumed', { node: 'n2' })).toEqual([]);
    expect(timeUs - pauses.one('node-paused', { node: 'n2' }).timeUs).toBeLessThan(5_000_000);
    const { timeUs: back } = pauses.one('node-restarted', { node: 'n2' });
    for (const client of ['A', 'B']) expect(pauses.grantedAfter(back, client, 'n2')).toBeDefined();
  });

  it('crash refuses connections, loses what was in memory only, and is missed by a node that is down already', () => {
    const changes = losses.events.filter((event) => event.type === 'node-crashed' || event.type === 'node-restarted');
    expect(changes.map((event) => `${event.type} ${event.node}`).sort()).toEqual([
      'node-crashed n1',
      'node-crashed n2',
      'node-restarted n1',
      'node-restarted n2',
    ]);
    for (const node of ['n1', 'n2']) {
      const { timeUs: from } = losses.one('node-crashed', { node });
      const { timeUs: until, keys } = losses.one('node-restarted', { node });
      expect(keys).toBe(0);
      const inside = ({ timeUs }: { readonly timeUs: number }): boolean => timeUs > from && timeUs < until;
      expect(losses.all('command-executed', { node }).filter(inside)).toEqual([]);
      const replies = losses.all('reply-received', { node }).filter(inside);
      // The last answer before its death may be read after it.
      expect(replies.filter(({ reply }) => reply === 'failed').length).toBeGreaterThan(replies.length * 0.8);
      expect(losses.grantedAfter(until, 'A', node)).toBeDefined();
      expect(losses.grantedAfter(until, 'B', node)).toBeDefined();
    }
    expect(losses.started('crash', 1).targets).toEqual(['n2']);
    for (const [fault, node] of [
      [1, 'n1'],
      [2, 'n2'],
    ] as const) {
      const { timeUs: ended } = losses.one('fault-ended', { fault });
      expect(losses.one('node-restarted', { node }).timeUs).toBeLessThanOrEqual(ended);
    }
  });

  it('crash and flush tell which keys went', () => {
    expect(lostKeys(losses)).toEqual(expect.arrayContaining(['n1 restart', 'n2 restart', 'n3 flush']));
    expect(lostKeys(losses)).toHaveLength(3);
    const { timeUs } = losses.one('key-lost', { node: 'n3', cause: 'flush', key: 'lock:held' });
    expect(timeUs).toBeLessThanOrEqual(losses.started('flush').timeUs);
  });

  it('what was on its way when a node died is lost', () => {
    const crash = losses.started('crash', 0).fault;
    for (const { node, client } of losses.all('message-lost', { fault: crash })) {
      expect(node).toBe('n1');
      expect(['A', 'B', 'H']).toContain(client);
    }
    const unanswered = losses
      .beforeHealing()
      .all('command-executed')
      .filter((executed) => losses.answerTo(executed) === undefined && executed.reply !== 'failed');
    for (const { command } of unanswered) expect(losses.one('message-lost', { command }).direction).toBe('reply');
  });

  it.each(SURVIVALS.map(([persistence, how, keys], index) => ({ persistence, how, keys, index })))(
    'with $persistence, by $how, $keys of one key are left',
    ({ keys, index }) => {
      const story = survivals[index] as RealStory;
      expect(story.one('node-restarted').keys).toBe(keys);
      expect(lostKeys(story)).toEqual(keys === 0 ? ['n1 restart'] : []);
    },
  );

  it.each(PROMOTIONS.map(([lag = 'everything', keys], index) => ({ lag, keys, index })))(
    'promotion of a replica that is behind by $lag leaves $keys of one key',
    ({ keys, index }) => {
      const story = promotions[index] as RealStory;
      expect(lostKeys(story)).toEqual(keys === 0 ? ['n1 promotion'] : []);
      const { timeUs } = story.one('node-restarted');
      expect(timeUs).toBeGreaterThanOrEqual(story.one('node-crashed').timeUs);
      expect(story.grantedAfter(timeUs, 'A', 'n1')).toBeDefined();
    },
  );

  it.each(EVICTIONS.map((policy, index) => ({ policy, index })))(
    'eviction under $policy takes the keys, and the node serves on',
    ({ index }) => {
      const story = evictions[index] as RealStory;
      expect(lostKeys(story)).toEqual(['n1 evicted']);
      expect(story.started('eviction').timeUs).toBeGreaterThanOrEqual(
        story.first('key-lost', { cause: 'evicted' }).timeUs,
      );
      expect(story.grantedAfter(story.started('eviction').timeUs, 'A', 'n1')).toBeDefined();
    },
  );

  it('eviction under noeviction refuses what needs memory until it is healed', () => {
    const { timeUs: from, fault } = full.started('eviction');
    const acquires = (fromUs: number, untilUs: number): EventOf<'reply-received'>[] =>
      full
        .all('command-sent', { client: 'A', kind: 'acquire' })
        .filter(({ timeUs }) => timeUs > fromUs && timeUs < untilUs)
        .flatMap(({ command }) => full.all('reply-received', { command }));
    const during = acquires(from, from + 390_000);
    expect(during.length).toBeGreaterThan(0);
    expect(new Set(during.map(({ reply }) => reply))).toEqual(new Set(['failed']));
    const ended = full.one('fault-ended', { fault }).timeUs;
    expect(full.grantedAfter(ended, 'A', 'n1')).toBeDefined();
    expect(lostKeys(full)).toEqual([]);
  });
});
