import { describe, expect, it } from 'vitest';
import { LATENCY_US, type FaultInput, type Story, storyOf } from './simulated-testing.ts';

const ALL = ['A n1', 'A n2', 'A n3', 'B n1', 'B n2', 'B n3'];
/** Between A and n1, from 100 ms to 300 ms. */
const LINK = { clients: 'A', nodes: 'n1', at: '100ms', for: '200ms' } as const;

/** A story of its own for each fault; `during` leaves out what was on the way when it began, `after` the reconnection when it ended. */
async function under(...faults: FaultInput[]): Promise<{ story: Story; during: Story; after: Story }> {
  const story = (await storyOf({ faults })).beforeHealing();
  return { story, during: story.between(102, 300), after: story.between(310, 800) };
}

function withoutA1(links: readonly string[]): string[] {
  return links.filter((link) => link !== 'A n1');
}

describe('partition', () => {
  it('both ways: nothing passes between the two, and everything between the others', async () => {
    const { during, after } = await under({ fault: 'partition', ...LINK });
    expect(during.conversations()).toEqual(withoutA1(ALL));
    expect(during.lostOn()).toEqual(['A n1 request']);
    expect(during.all('command-executed', { client: 'A', node: 'n1' })).toEqual([]);
    expect(after.conversations()).toEqual(ALL);
    expect(after.lostOn()).toEqual([]);
  });

  it('of requests: nothing is executed', async () => {
    const { during, after } = await under({ fault: 'partition', ...LINK, direction: 'request' });
    expect(during.lostOn()).toEqual(['A n1 request']);
    expect(during.all('command-executed', { client: 'A', node: 'n1' })).toEqual([]);
    expect(after.conversations()).toEqual(ALL);
  });

  it('of replies: everything is executed, and nobody hears of it', async () => {
    const { during, after } = await under({ fault: 'partition', ...LINK, direction: 'reply' });
    expect(during.lostOn()).toEqual(['A n1 reply']);
    expect(during.all('command-executed', { client: 'A', node: 'n1', reply: 'granted' }).length).toBeGreaterThan(10);
    expect(during.conversations()).toEqual(withoutA1(ALL));
    expect(after.conversations()).toEqual(ALL);
  });

  it('breaks the connection when it is healed, for there are gaps in its streams', async () => {
    const { story } = await under({ fault: 'partition', ...LINK });
    const failed = story.all('reply-received', { client: 'A', node: 'n1', reply: 'failed' });
    const lost = story.between(100, 300).all('message-lost');
    // All that was sent in vain is told to have failed, at once.
    expect(failed.map(({ command }) => command)).toEqual(expect.arrayContaining(lost.map(({ command }) => command)));
    expect(new Set(failed.map(({ timeUs }) => timeUs))).toEqual(new Set([300_000 + LATENCY_US]));
    expect(story.one('fault-ended').timeUs).toBe(300_000);
  });

  it('cuts a client off from the protected resource', async () => {
    const { during, after, story } = await under({ fault: 'partition', ...LINK, nodes: 'resource' });
    expect(story.between(100, 300).lostOn()).toEqual(['A resource request']);
    expect(during.all('write-accepted', { client: 'A' })).toEqual([]);
    expect(during.all('write-accepted', { client: 'B' }).length).toBeGreaterThan(10);
    // The write that hung fails when it is healed, and the script goes on.
    expect(after.all('write-accepted', { client: 'A' }).length).toBeGreaterThan(10);
  });
});

describe('partition-shape', () => {
  const PAIRS = {
    bridge: ['A n1', 'A n2', 'A n3', 'B n3', 'B n4', 'B n5'],
    ring: ['A n1', 'A n2', 'A n3', 'B n2', 'B n3', 'B n4', 'C n3', 'C n4', 'C n5', 'D n1', 'D n4', 'D n5'],
    minority: ['A n1', 'A n2', 'B n1', 'B n2'],
    majority: ['A n1', 'A n2', 'A n3', 'B n1', 'B n2', 'B n3'],
  } as const;

  it.each(['bridge', 'ring', 'minority', 'majority'] as const)(
    '%s leaves each client with its nodes',
    async (shape) => {
      const clients = shape === 'ring' ? { A: null, B: null, C: null, D: null } : { A: null, B: null };
      const story = (
        await storyOf({
          settings: { nodes: 5, ttl: '1s', nodeTimeout: '10ms' },
          clients,
          faults: [{ fault: 'partition-shape', shape, at: '100ms', for: '200ms' }],
        })
      ).beforeHealing();
      expect(story.between(102, 300).conversations()).toEqual(PAIRS[shape]);
      const names = Object.keys(clients);
      const everybody = names.flatMap((client) => ['n1', 'n2', 'n3', 'n4', 'n5'].map((node) => `${client} ${node}`));
      expect(story.between(310, 400).conversations()).toEqual(everybody);
      expect(story.one('fault-started').targets).toEqual([...names, 'n1', 'n2', 'n3', 'n4', 'n5']);
    },
  );
});

describe('loss', () => {
  it('loses the first so many requests of one kind on each link', async () => {
    const { story } = await under({
      fault: 'loss',
      clients: 'A',
      nodes: ['n1', 'n2'],
      at: '100ms',
      for: '200ms',
      direction: 'request',
      command: 'release',
      count: 2,
    });
    const lost = story.between(100, 300).all('message-lost');
    expect(lost.map(({ node }) => node).sort()).toEqual(['n1', 'n1', 'n2', 'n2']);
    for (const { command, direction } of lost) {
      expect(direction).toBe('request');
      expect(story.one('command-sent', { command }).kind).toBe('release');
      expect(story.all('command-executed', { command })).toEqual([]);
    }
  });

  it('loses replies to commands that were executed', async () => {
    const { story, after } = await under({ fault: 'loss', ...LINK, direction: 'reply', command: 'acquire', count: 3 });
    const lost = story.between(100, 300).all('message-lost');
    expect(lost.map(({ node, direction }) => `${node} ${direction}`)).toEqual(Array(3).fill('n1 reply'));
    for (const { command } of lost) {
      expect(story.one('command-executed', { command })).toMatchObject({ kind: 'acquire', reply: 'granted' });
    }
    expect(after.lostOn()).toEqual([]);
  });

  it('loses with a probability, and the seed says which', async () => {
    const fault = { fault: 'loss', ...LINK, direction: 'request', probability: 0.5 } as const;
    const { during, after } = await under(fault);
    const sent = during.all('command-sent', { client: 'A', node: 'n1' }).length;
    const lost = during.all('message-lost').length;
    expect(lost).toBeGreaterThan(sent * 0.25);
    expect(lost).toBeLessThan(sent * 0.75);
    expect(during.lostOn()).toEqual(['A n1 request']);
    expect(after.lostOn()).toEqual([]);
    const other = (await storyOf({ faults: [fault] }, 2)).between(102, 300);
    const lossesOf = (story: Story): number[] => story.all('message-lost').map(({ command }) => command);
    expect(lossesOf(other)).not.toEqual(lossesOf(during));
  });

  it('loses the acknowledgement of a write that was accepted', async () => {
    const { story } = await under({ fault: 'loss', ...LINK, nodes: 'resource', direction: 'reply', count: 1 });
    const { command, node } = story.between(100, 300).one('message-lost');
    expect(node).toBe('resource');
    expect(story.one('write-accepted', { write: command }).client).toBe('A');
  });
});

describe('latency', () => {
  it('makes messages of its direction slower, on its links only, until it is healed', async () => {
    const { story, during, after } = await under({ fault: 'latency', ...LINK, direction: 'reply', delay: '20ms' });
    const delays = story.all('message-delayed');
    expect(
      new Set(delays.map(({ client, node, direction, byUs }) => `${client} ${node} ${direction} ${byUs}`)),
    ).toEqual(new Set(['A n1 reply 20000']));
    const journeysUs = (of: Story): Set<number> =>
      new Set(
        of
          .all('command-executed', { client: 'A', node: 'n1' })
          .map(({ command, timeUs }) => story.one('reply-received', { command }).timeUs - timeUs),
      );
    expect(journeysUs(during.between(102, 290))).toEqual(new Set([21_000]));
    expect(journeysUs(after.between(330, 700))).toEqual(new Set([LATENCY_US]));
  });

  it('draws a jitter from its range, and keeps the order', async () => {
    const { story } = await under({ fault: 'latency', ...LINK, direction: 'request', delay: '5ms..30ms' });
    const delaysUs = story.all('message-delayed').map(({ byUs }) => byUs);
    expect(Math.min(...delaysUs)).toBeGreaterThanOrEqual(5000);
    expect(Math.max(...delaysUs)).toBeLessThanOrEqual(30_000);
    expect(new Set(delaysUs).size).toBeGreaterThan(5);
    const executed = story.all('command-executed', { client: 'A', node: 'n1' }).map(({ command }) => command);
    expect(executed).toEqual([...executed].sort((one, other) => one - other));
  });

  it('delays writes to the protected resource', async () => {
    const { story } = await under({
      fault: 'latency',
      ...LINK,
      nodes: 'resource',
      direction: 'request',
      delay: '50ms',
    });
    const { command, timeUs } = story.first('message-delayed');
    expect(story.one('write-accepted', { write: command }).timeUs - timeUs).toBe(50_000 + LATENCY_US);
  });
});

/** A command of the scenario: 60 bytes, a key of 6 and a value of 40. */
const COMMAND_BYTES = 106;

describe('bandwidth', () => {
  it('lets messages queue for a narrow line', async () => {
    const { story, after } = await under({ fault: 'bandwidth', ...LINK, direction: 'request', bytesPerSecond: 10_000 });
    const [first] = story.all('message-delayed');
    expect(first).toMatchObject({ client: 'A', node: 'n1', direction: 'request', byUs: COMMAND_BYTES * 100 });
    // Two commands each 11 ms are more than the line passes, so the queue grows.
    expect(Math.max(...story.all('message-delayed').map(({ byUs }) => byUs))).toBeGreaterThan(COMMAND_BYTES * 300);
    expect(after.all('message-delayed')).toEqual([]);
  });
});

describe('slicer', () => {
  it('delays a message between each two of its slices', async () => {
    const { story, after } = await under({ fault: 'slicer', ...LINK, direction: 'request', bytes: 50, delay: '3ms' });
    const delays = story.all('message-delayed');
    expect(delays.length).toBeGreaterThan(10);
    expect(new Set(delays.map(({ client, node, byUs }) => `${client} ${node} ${byUs}`))).toEqual(
      new Set(['A n1 6000']),
    );
    expect(after.all('message-delayed')).toEqual([]);
  });
});

describe('limit-data', () => {
  it('closes each connection when so much has passed', async () => {
    const { story, during, after } = await under({
      fault: 'limit-data',
      ...LINK,
      direction: 'request',
      bytes: 5 * COMMAND_BYTES,
    });
    const passed: number[] = [];
    let count = 0;
    for (const event of during.events) {
      if (event.type === 'command-executed' && event.client === 'A' && event.node === 'n1') count += 1;
      else if (event.type === 'message-lost') {
        passed.push(count);
        count = 0;
      }
    }
    expect(passed.length).toBeGreaterThan(2);
    expect(Math.max(...passed)).toBe(5);
    expect(story.lostOn()).toEqual(['A n1 request']);
    expect(during.all('reply-received', { client: 'A', node: 'n1', reply: 'failed' }).length).toBe(passed.length);
    expect(after.lostOn()).toEqual([]);
  });
});

describe('reset', () => {
  it('loses what is on the way, tells the client, and is over at once', async () => {
    const { story } = await under({
      fault: 'reset',
      clients: 'A',
      nodes: ['n1', 'n2'],
      after: { event: 'command-sent', client: 'A', node: 'n3', kind: 'acquire', nth: 10 },
    });
    const lost = story.all('message-lost');
    expect(lost.map(({ client, node, direction }) => `${client} ${node} ${direction}`)).toEqual([
      'A n1 request',
      'A n2 request',
    ]);
    const { timeUs } = story.one('fault-started', { kind: 'reset' });
    expect(story.one('fault-ended').timeUs).toBe(timeUs);
    expect(story.all('reply-received', { reply: 'failed' }).map((event) => [event.command, event.timeUs])).toEqual(
      lost.map(({ command }) => [command, timeUs + LATENCY_US]),
    );
    expect(story.between(timeUs / 1000 + 10, 800).conversations()).toEqual(ALL);
  });

  it('leaves unknown whether a write was taken', async () => {
    const { story } = await under({
      fault: 'reset',
      clients: 'A',
      nodes: 'resource',
      after: { event: 'write-accepted', client: 'A', nth: 3 },
    });
    expect(story.one('message-lost')).toMatchObject({ node: 'resource', direction: 'reply' });
    expect(story.all('write-accepted', { client: 'A' }).length).toBeGreaterThan(20);
  });
});

describe('slow-close', () => {
  it('lets the client hear late that its connection broke, and what it sends until then is lost', async () => {
    const { story } = await under(
      { fault: 'slow-close', ...LINK, delay: '50ms' },
      { fault: 'reset', clients: 'A', nodes: 'n1', at: '200ms' },
      {
        fault: 'reset',
        clients: 'A',
        nodes: 'n1',
        after: { event: 'command-sent', client: 'A', node: 'n1', nth: 100 },
      },
    );
    const [slow, fast] = story.all('fault-started', { kind: 'reset' }).map(({ timeUs }) => timeUs) as [number, number];
    const failures = story.all('reply-received', { client: 'A', node: 'n1', reply: 'failed' });
    const failedAtUs = new Set(failures.map(({ timeUs }) => timeUs));
    expect(fast).toBeGreaterThan(300_000);
    expect([...failedAtUs]).toEqual([slow + 50_000 + LATENCY_US, fast + LATENCY_US]);
    const unaware = story.between(slow / 1000, slow / 1000 + 51);
    const sent = unaware.all('command-sent', { client: 'A', node: 'n1' });
    expect(sent.length).toBeGreaterThan(4);
    expect(unaware.all('message-lost').map(({ command }) => command)).toEqual(
      expect.arrayContaining(sent.map(({ command }) => command)),
    );
    expect(unaware.all('command-executed', { client: 'A', node: 'n1' })).toEqual([]);
    expect(story.between(fast / 1000 + 10, 800).conversations()).toEqual(ALL);
  });
});
