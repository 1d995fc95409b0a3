import { describe, expect, it } from 'vitest';
import { LATENCY_US, type ScenarioInput, type Story, storyOf } from './simulated-testing.ts';

/** A takes one lock for 10 s and keeps it. */
const HOLDING: NonNullable<ScenarioInput['workload']>[number] = {
  clients: 'A',
  steps: [{ acquire: { resource: 'held', ttl: '10s' } }, { work: '900ms' }],
};
/** B takes and gives back a lock of its own all the while. */
const BUSY: NonNullable<ScenarioInput['workload']>[number] = {
  clients: 'B',
  repeat: 90,
  steps: [{ acquire: { resource: 'own', retryCount: 0 } }, 'write', 'release', { rest: '4ms' }],
};

function lostKeys(story: Story): string[] {
  return story
    .beforeHealing()
    .all('key-lost')
    .map(({ node, key, cause }) => `${node} ${key} ${cause}`);
}

describe('client-pause', () => {
  it('stops the client altogether, and nobody else', async () => {
    const story = await storyOf({ faults: [{ fault: 'client-pause', clients: 'A', at: '100ms', for: '200ms' }] });
    const during = story.between(100, 300);
    const deeds = (client: string): string[] =>
      during.events.flatMap((event) =>
        // Its messages still travel, and are executed and accepted.
        'client' in event &&
        event.client === client &&
        event.type !== 'command-executed' &&
        event.type !== 'write-accepted'
          ? [event.type]
          : [],
      );
    expect(deeds('A')).toEqual([]);
    expect(deeds('B').length).toBeGreaterThan(200);
    expect(story.one('client-paused')).toMatchObject({ client: 'A', timeUs: 100_000 });
    expect(story.one('client-resumed')).toMatchObject({ client: 'A', timeUs: 300_000 });
    expect(story.between(300, 400).all('acquire-granted', { client: 'A' }).length).toBeGreaterThan(5);
  });

  it('is missed by a node that is down already: it comes back as the first one says', async () => {
    const story = await storyOf({
      faults: [
        { fault: 'client-pause', clients: 'A', at: '100ms', for: '100ms' },
        { fault: 'client-pause', clients: 'all', at: '150ms', for: '100ms' },
      ],
    });
    const changes = story.events.filter((event) => event.type === 'client-paused' || event.type === 'client-resumed');
    expect(changes.map((event) => [event.timeUs / 1000, event.type, event.client])).toEqual([
      [100, 'client-paused', 'A'],
      [150, 'client-paused', 'B'],
      [250, 'client-resumed', 'A'],
      [250, 'client-resumed', 'B'],
    ]);
    expect(story.between(150, 250).all('command-sent')).toEqual([]);
  });

  it('keeps a script that is due from starting', async () => {
    const story = await storyOf({
      workload: [{ clients: 'A', at: '50ms', steps: [{ acquire: { resource: 'r' } }, 'release'] }],
      faults: [{ fault: 'client-pause', clients: 'A', at: '0ms', for: '200ms' }],
    });
    expect(story.first('acquire-invoked').timeUs).toBe(200_000);
  });

  it('cannot leave an attempt behind that its client gave up in the same moment', async () => {
    // Both the end of its patience and its next retry are due when it goes on: whoever gives up does not try again.
    const story = await storyOf({
      workload: [
        { clients: 'A', steps: [{ acquire: { resource: 'r' } }, { work: '500ms' }, 'release'] },
        {
          clients: 'B',
          at: '10ms',
          steps: [
            { acquire: { resource: 'r', retryCount: -1, retryDelay: '50ms', retryJitter: 0, giveUpAfter: '40ms' } },
          ],
        },
      ],
      faults: [{ fault: 'client-pause', clients: 'B', at: '20ms', for: '100ms' }],
    });
    expect(story.one('acquire-failed')).toMatchObject({ client: 'B', code: 'aborted', timeUs: 120_000 });
    const { operation } = story.one('acquire-failed');
    expect(story.all('attempt-started', { operation })).toHaveLength(1);
  });
});

describe('server-pause', () => {
  it('lets requests wait, and answers them all when it is healed', async () => {
    const story = await storyOf({ faults: [{ fault: 'server-pause', nodes: 'n1', at: '100ms', for: '200ms' }] });
    const during = story.between(100, 300);
    expect(during.all('command-executed', { node: 'n1' })).toEqual([]);
    expect(during.all('command-executed', { node: 'n2' }).length).toBeGreaterThan(20);
    const waited = during.all('command-sent', { node: 'n1' }).filter(({ timeUs }) => timeUs <= 299_000);
    expect(waited.length).toBeGreaterThan(20);
    for (const { command } of waited) {
      expect(story.one('command-executed', { command }).timeUs).toBe(300_000);
      expect(story.one('reply-received', { command }).timeUs).toBe(300_000 + LATENCY_US);
    }
    expect(story.beforeHealing().all('message-lost')).toEqual([]);
    expect([story.one('node-paused').timeUs, story.one('node-resumed').timeUs]).toEqual([100_000, 300_000]);
  });

  it('is over when the server dies', async () => {
    const story = await storyOf({
      faults: [
        { fault: 'server-pause', nodes: 'n1', at: '100ms', for: '300ms' },
        { fault: 'crash', nodes: 'n1', at: '200ms', for: '50ms' },
      ],
    });
    expect(story.all('node-resumed')).toEqual([]);
    const lost = story.all('message-lost', { node: 'n1', direction: 'request', timeUs: 200_000 });
    expect(lost.length).toBeGreaterThan(20);
    for (const { command } of lost) expect(story.all('command-executed', { command })).toEqual([]);
    expect(story.between(260, 400).all('command-executed', { node: 'n1' }).length).toBeGreaterThan(20);
  });
});

describe('crash', () => {
  it('refuses connections while the server is down, and loses the keys that were only in memory', async () => {
    const story = await storyOf({
      workload: [HOLDING, BUSY],
      faults: [{ fault: 'crash', nodes: 'n1', at: '100ms', for: '200ms' }],
    });
    const during = story.between(102, 300);
    expect(during.all('command-executed', { node: 'n1' })).toEqual([]);
    expect(new Set(during.all('reply-received', { node: 'n1' }).map(({ reply }) => reply))).toEqual(
      new Set(['failed']),
    );
    expect(during.all('command-executed', { node: 'n2' }).length).toBeGreaterThan(20);
    expect(story.one('node-crashed')).toMatchObject({ node: 'n1', timeUs: 100_000 });
    expect(story.one('node-restarted')).toMatchObject({ node: 'n1', timeUs: 300_000, keys: 0 });
    expect(story.all('key-lost', { node: 'n1', key: 'lock:held', cause: 'restart' })).toHaveLength(1);
    expect(story.between(305, 400).all('command-executed', { node: 'n1', reply: 'granted' }).length).toBeGreaterThan(5);
  });

  it.each([
    ['rdb', 'kill', 0],
    ['rdb', 'terminate', 1],
    ['aof-always', 'power-loss', 1],
    ['aof-everysec', 'kill', 1],
    ['aof-everysec', 'power-loss', 0],
    ['aof-no', 'power-loss', 0],
  ] as const)('with %s, by %s, leaves %i of one young key', async (persistence, how, keys) => {
    const story = await storyOf({
      nodes: { persistence },
      workload: [HOLDING],
      faults: [{ fault: 'crash', nodes: 'n1', how, at: '100ms', for: '200ms' }],
    });
    expect(story.one('node-restarted').keys).toBe(keys);
    expect(lostKeys(story)).toEqual(keys === 0 ? ['n1 lock:held restart'] : []);
  });

  it('lasts until the last of two that overlap is healed', async () => {
    const story = await storyOf({
      faults: [
        { fault: 'crash', nodes: 'n1', at: '100ms', for: '100ms' },
        { fault: 'crash', nodes: ['n1', 'n2'], at: '150ms', for: '100ms' },
      ],
    });
    const changes = story.events.filter((event) => event.type === 'node-crashed' || event.type === 'node-restarted');
    expect(changes.map((event) => [event.timeUs / 1000, event.type, event.node])).toEqual([
      [100, 'node-crashed', 'n1'],
      [150, 'node-crashed', 'n2'],
      [200, 'node-restarted', 'n1'],
      [250, 'node-restarted', 'n2'],
    ]);
    expect(story.all('fault-started').map(({ targets }) => targets)).toEqual([['n1'], ['n2']]);
  });
});

describe('eviction', () => {
  it('takes so many keys where the policy evicts', async () => {
    const story = await storyOf({
      nodes: { maxmemoryPolicy: 'volatile-lru' },
      workload: [
        HOLDING,
        { ...HOLDING, at: '10ms', steps: [{ acquire: { resource: 'second', ttl: '10s' } }, { work: '800ms' }] },
      ],
      faults: [{ fault: 'eviction', nodes: ['n1', 'n3'], keys: 1, at: '100ms', for: '100ms' }],
    });
    expect(lostKeys(story)).toEqual(['n1 lock:held evicted', 'n3 lock:held evicted']);
  });

  it('takes all keys where nothing limits it, chosen or not by chance', async () => {
    const story = await storyOf({
      nodes: { maxmemoryPolicy: 'allkeys-random' },
      workload: [HOLDING],
      faults: [{ fault: 'eviction', nodes: 'n2', at: '100ms' }],
    });
    expect(lostKeys(story)).toEqual(['n2 lock:held evicted']);
  });

  it('refuses writes under noeviction until it is healed', async () => {
    const story = await storyOf({
      workload: [
        HOLDING,
        {
          clients: 'B',
          repeat: 90,
          steps: [{ rest: '5ms' }, { acquire: { resource: 'own', retryCount: 0 } }, 'release'],
        },
      ],
      faults: [{ fault: 'eviction', nodes: 'all', at: '100ms', for: '200ms' }],
    });
    const replies = (fromMs: number, untilMs: number): Set<string> =>
      new Set(
        story
          .between(fromMs, untilMs)
          .all('command-executed', { kind: 'acquire' })
          .map(({ reply }) => reply),
      );
    expect(replies(0, 100)).toEqual(new Set(['granted']));
    expect(replies(100, 300)).toEqual(new Set(['failed']));
    expect(replies(300, 800)).toEqual(new Set(['granted']));
    expect(lostKeys(story)).toEqual([]);
  });
});

describe('flush', () => {
  it('takes all keys at once', async () => {
    const story = await storyOf({
      workload: [HOLDING],
      faults: [{ fault: 'flush', nodes: ['n1', 'n2'], at: '100ms' }],
    });
    expect(lostKeys(story)).toEqual(['n1 lock:held flush', 'n2 lock:held flush']);
    expect(story.first('key-lost').timeUs).toBe(100_000);
  });
});

describe('promotion', () => {
  it.each([
    ['lacks everything', undefined, ['n1 lock:held promotion']],
    ['is behind by more than the age of the key', '600ms', ['n1 lock:held promotion']],
    ['is behind by less than the age of the key', '300ms', []],
    ['lacks nothing', '0ms', []],
  ] as const)('of a replica that %s', async (_title, lag, lost) => {
    const story = await storyOf({
      nodes: { replica: true },
      workload: [HOLDING],
      faults: [{ fault: 'promotion', nodes: 'n1', at: '500ms', ...(lag === undefined ? {} : { lag }) }],
    });
    expect(lostKeys(story)).toEqual(lost);
    expect(story.one('node-crashed')).toMatchObject({ node: 'n1', timeUs: 500_000 });
    expect(story.one('node-restarted')).toMatchObject({ node: 'n1', timeUs: 500_000, keys: 1 - lost.length });
  });

  it('breaks the connections, and the replica serves the next ones', async () => {
    const story = await storyOf({
      nodes: { replica: true },
      faults: [{ fault: 'promotion', nodes: 'n1', after: { event: 'command-sent', node: 'n1', nth: 50 } }],
    });
    const { timeUs } = story.one('node-restarted');
    const lost = story.all('message-lost', { timeUs });
    expect(lost.length).toBeGreaterThan(0);
    expect(new Set(lost.map(({ node }) => node))).toEqual(new Set(['n1']));
    expect(story.between(timeUs / 1000 + 5, 800).all('command-executed', { node: 'n1' }).length).toBeGreaterThan(50);
  });
});
