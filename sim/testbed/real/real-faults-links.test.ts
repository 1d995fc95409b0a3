import { beforeAll, describe, expect, it } from 'vitest';
import type { EventOf, FaultInput, ScenarioInput } from '../simulated/simulated-testing.ts';
import { BUSY, oneAfterTheOther, realStory, type RealStory, whyNoRealRuns } from './real-testing.ts';

const obstacle = whyNoRealRuns();
const FOR_MS = 600;
/** What is sent so long after its beginning is over before its end, even on a busy machine. */
const SENT_WITHIN_MS = FOR_MS - 100;
/** Between A and n1. */
const LINK = { clients: 'A', nodes: 'n1', for: `${FOR_MS}ms` } as const;

const ON_THE_LINK: readonly FaultInput[] = oneAfterTheOther([
  { fault: 'partition', ...LINK },
  { fault: 'partition', ...LINK, direction: 'request' },
  { fault: 'partition', ...LINK, direction: 'reply' },
  { fault: 'loss', ...LINK, direction: 'request' },
  { fault: 'loss', ...LINK, direction: 'reply' },
  { fault: 'latency', ...LINK, direction: 'reply', delay: '40ms' },
  { fault: 'latency', ...LINK, direction: 'request', delay: '10ms..60ms' },
  { fault: 'bandwidth', ...LINK, direction: 'request', bytesPerSecond: 1000 },
  { fault: 'slicer', ...LINK, direction: 'request', bytes: 20, delay: '5ms' },
  { fault: 'limit-data', ...LINK, direction: 'request', bytes: 1500 },
]);

/** Connections of A to n1 break while messages are on their way, at once and slowly. */
const BREAKING: readonly FaultInput[] = [
  { fault: 'latency', ...LINK, direction: 'reply', delay: '100ms', for: '1s', at: '250ms' },
  { fault: 'reset', clients: 'A', nodes: 'n1', after: { event: 'fault-started', kind: 'latency', delay: '150ms' } },
  {
    fault: 'slow-close',
    ...LINK,
    delay: '150ms',
    for: '800ms',
    after: { event: 'fault-ended', nth: 2, delay: '250ms' },
  },
  { fault: 'reset', clients: 'A', nodes: 'n1', after: { event: 'fault-started', kind: 'slow-close', delay: '100ms' } },
  { fault: 'reset', clients: 'A', nodes: 'n2', after: { event: 'fault-ended', nth: 4, delay: '100ms' } },
];

const WRITES: readonly FaultInput[] = oneAfterTheOther([
  { fault: 'latency', ...LINK, nodes: 'resource', direction: 'request', delay: '50ms' },
  { fault: 'partition', ...LINK, nodes: 'resource', direction: 'request' },
  { fault: 'loss', ...LINK, nodes: 'resource', direction: 'reply' },
]);

const SHAPES = ['bridge', 'ring', 'minority', 'majority'] as const;
const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'];
const SEEN_BY: Readonly<Record<(typeof SHAPES)[number], Readonly<Record<string, readonly string[]>>>> = {
  bridge: { A: ['n1', 'n2', 'n3'], B: ['n1', 'n2', 'n3'], C: ['n3', 'n4', 'n5'], D: ['n3', 'n4', 'n5'] },
  ring: { A: ['n1', 'n2', 'n3'], B: ['n2', 'n3', 'n4'], C: ['n3', 'n4', 'n5'], D: ['n1', 'n4', 'n5'] },
  minority: { A: ['n1', 'n2'], B: ['n1', 'n2'], C: ['n1', 'n2'], D: ['n1', 'n2'] },
  majority: { A: ['n1', 'n2', 'n3'], B: ['n1', 'n2', 'n3'], C: ['n1', 'n2', 'n3'], D: ['n1', 'n2', 'n3'] },
};

describe.skipIf(obstacle !== null)(`faults of connections, for real${obstacle === null ? '' : `: ${obstacle}`}`, () => {
  let onTheLink: RealStory;
  let breaking: RealStory;
  let writes: RealStory;
  let shapes: RealStory;

  beforeAll(async () => {
    const run = (faults: readonly FaultInput[], limit: string, more: Partial<ScenarioInput> = {}): Promise<RealStory> =>
      realStory({ faults: [...faults], limit, ...more });
    // One after another, so that each has the machine to itself; with limits of twice the time that the faults need.
    onTheLink = await run(ON_THE_LINK, '18s');
    breaking = await run(BREAKING, '6s');
    writes = await run(WRITES, '5s', { clients: { A: null }, settings: { nodes: 1, ttl: '300ms' } });
    shapes = await run(
      oneAfterTheOther(SHAPES.map((shape) => ({ fault: 'partition-shape', shape, for: `${FOR_MS}ms` }))),
      '11s',
      {
        settings: { nodes: 5, ttl: '300ms' },
        clients: { A: null, B: null, C: null, D: null },
        // So little that even four clients leave the processors idle.
        workload: [{ ...BUSY, steps: [...BUSY.steps, { rest: '20ms' }] }],
      },
    );
  });

  /** The commands that A sent to n1 in the first so many milliseconds of the fault; there must be some, however busy the machine. */
  function sent(kind: string, place = 0, forMs = SENT_WITHIN_MS): EventOf<'command-sent'>[] {
    const commands = onTheLink.sentDuring(onTheLink.started(kind, place), forMs, 'A', 'n1');
    expect(commands.length).toBeGreaterThan(1);
    return commands;
  }

  function lossesBy(story: RealStory, { fault }: EventOf<'fault-started'>): Set<string> {
    return new Set(
      story.all('message-lost', { fault }).map(({ client, node, direction }) => `${client} ${node} ${direction}`),
    );
  }

  /** How long the requests, or the replies, of these commands were on their way, in milliseconds. */
  function journeysMs(commands: readonly EventOf<'command-sent'>[], direction: 'request' | 'reply'): number[] {
    return commands.flatMap((command) => {
      const executed = onTheLink.executionOf(command);
      const answer = onTheLink.answerTo(command);
      if (executed === undefined || answer === undefined) return [];
      return [(direction === 'request' ? executed.timeUs - command.timeUs : answer.timeUs - executed.timeUs) / 1000];
    });
  }

  it.each([
    ['partition', 0, false, 'request'],
    ['partition', 1, false, 'request'],
    ['partition', 2, true, 'reply'],
    ['loss', 0, false, 'request'],
    ['loss', 1, true, 'reply'],
  ] as const)('%s %i: commands are executed: %s; every %s is lost', (kind, place, isExecuted, direction) => {
    const { fault } = onTheLink.started(kind, place);
    for (const command of sent(kind, place)) {
      expect(onTheLink.executionOf(command) !== undefined).toBe(isExecuted);
      expect(onTheLink.answerTo(command)).toBeUndefined();
      expect(onTheLink.all('message-lost', { command: command.command, node: 'n1' })).toMatchObject([
        { client: 'A', direction, fault },
      ]);
    }
  });

  it('nothing else is lost than what these faults lose', () => {
    expect(onTheLink.beforeHealing().lostOn()).toEqual(['A n1 reply', 'A n1 request']);
    for (const [client, node] of [
      ['A', 'n2'],
      ['B', 'n1'],
    ] as const) {
      for (const command of onTheLink.sentDuring(onTheLink.started('partition'), SENT_WITHIN_MS, client, node)) {
        expect(onTheLink.answerTo(command)).toBeDefined();
      }
    }
  });

  it('latency makes the messages of its direction slower, and no others', () => {
    // What is held back when it is healed is let go.
    for (const command of sent('latency', 0)) {
      expect((onTheLink.answerTo(command)?.timeUs ?? 0) - command.timeUs).toBeGreaterThanOrEqual(40_000);
    }
    expect(Math.min(...journeysMs(sent('latency', 0), 'request'))).toBeLessThan(30);
    const delays = onTheLink.all('message-delayed', { fault: onTheLink.started('latency', 0).fault });
    expect(delays.length).toBeGreaterThan(0);
    for (const { client, node, direction, byUs } of delays) {
      expect(`${client} ${node} ${direction}`).toBe('A n1 reply');
      expect(byUs).toBeGreaterThan(0);
    }
  });

  it('latency with a jitter varies, and keeps the order', () => {
    const journeys = journeysMs(sent('latency', 1), 'request');
    expect(Math.min(...journeys)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...journeys) - Math.min(...journeys)).toBeGreaterThan(2);
    const executed = onTheLink.all('command-executed', { client: 'A', node: 'n1' }).map(({ command }) => command);
    expect(executed).toEqual([...executed].sort((one, other) => one - other));
  });

  it('bandwidth lets messages queue for a narrow line', () => {
    const delays = onTheLink.all('message-delayed', { fault: onTheLink.started('bandwidth').fault });
    // A command has a hundred bytes, which take a tenth of a second.
    expect(Math.max(...delays.map(({ byUs }) => byUs))).toBeGreaterThan(100_000);
  });

  it('slicer delays a message between its slices', () => {
    // A command has more than four slices. What waits when it is healed is let go at once.
    expect(journeysMs(sent('slicer'), 'request')[0]).toBeGreaterThan(15);
    expect(onTheLink.all('message-delayed', { fault: onTheLink.started('slicer').fault }).length).toBeGreaterThan(0);
  });

  it('limit-data closes each connection when so much has passed, and new ones are made', () => {
    const limit = onTheLink.started('limit-data');
    const [end] = onTheLink.all('fault-ended', { fault: limit.fault });
    const during = onTheLink.between(limit.timeUs / 1000, (end?.timeUs ?? 0) / 1000);
    const onLink = { client: 'A', node: 'n1' } as const;
    expect(during.all('reply-received', { ...onLink, reply: 'failed' }).length).toBeGreaterThan(0);
    expect(during.all('command-executed', onLink).length).toBeGreaterThan(0);
    // A command of the library has more than 60 bytes: no more of them fit.
    let inARow = 0;
    for (const event of during.events) {
      if (event.type === 'command-executed' && event.client === 'A' && event.node === 'n1') inARow += 1;
      else if (event.type === 'reply-received' && event.reply === 'failed' && event.node === 'n1') inARow = 0;
      expect(inARow).toBeLessThan(25);
    }
  });

  it('each is over when it is healed', () => {
    for (const { fault, timeUs } of onTheLink.all('fault-ended')) {
      expect(onTheLink.grantedAfter(timeUs, 'A', 'n1'), `after fault ${fault}`).toBeDefined();
    }
    const { timeUs: healedUs } = onTheLink.one('healed');
    const last = onTheLink.all('fault-ended').at(-1)?.timeUs ?? 0;
    const after = onTheLink.between(last / 1000, healedUs / 1000).all('message-delayed');
    // What was on its way when it ended.
    expect(after.filter(({ timeUs }) => timeUs > last)).toEqual([]);
  });

  it('reset loses what is on the way, tells the client, and lets it come again', () => {
    const reset = breaking.started('reset', 0);
    const lost = breaking.all('message-lost', { fault: reset.fault });
    expect(lost.length).toBeGreaterThan(0);
    expect(lossesBy(breaking, reset)).toContain('A n1 reply');
    expect(lost.filter(({ client, node }) => client !== 'A' || node !== 'n1')).toEqual([]);
    for (const { command } of lost) {
      expect(breaking.one('reply-received', { command }).reply).toBe('failed');
      // The latency alone would have brought it.
      expect(breaking.one('reply-received', { command }).timeUs).toBeLessThan(
        breaking.one('fault-ended', { fault: 1 }).timeUs,
      );
    }
    expect(breaking.grantedAfter(reset.timeUs, 'A', 'n1')).toBeDefined();
    const [ended] = breaking.all('fault-ended', { fault: reset.fault });
    expect((ended?.timeUs ?? 0) - reset.timeUs).toBeLessThan(5000);
  });

  it('slow-close lets the client hear late that its connection broke, and what it sends until then is lost', () => {
    const reset = breaking.started('reset', 1);
    const unaware = breaking.sentDuring(reset, 140, 'A', 'n1');
    expect(unaware.length).toBeGreaterThan(0);
    for (const { command } of unaware) {
      expect(breaking.all('message-lost', { command, node: 'n1' })).toMatchObject([
        { direction: 'request', fault: reset.fault },
      ]);
      expect(breaking.one('reply-received', { command }).reply).toBe('failed');
      expect(breaking.one('reply-received', { command }).timeUs).toBeGreaterThan(reset.timeUs + 140_000);
    }
    expect(breaking.grantedAfter(reset.timeUs, 'A', 'n1')).toBeDefined();
    // It slows nothing else.
    expect(breaking.all('message-delayed', { fault: breaking.started('slow-close').fault })).toEqual([]);
    expect(breaking.grantedAfter(breaking.started('reset', 2).timeUs, 'A', 'n2')).toBeDefined();
  });

  it('faults of the way to the protected resource concern writes', () => {
    const late = writes.all('message-delayed', { fault: writes.started('latency').fault });
    expect(new Set(late.map(({ client, node, direction }) => `${client} ${node} ${direction}`))).toEqual(
      new Set(['A resource request']),
    );
    expect(Math.max(...late.map(({ byUs }) => byUs))).toBeGreaterThanOrEqual(50_000);
    const lost = (kind: string): EventOf<'message-lost'>[] => {
      const messages = writes.all('message-lost', { fault: writes.started(kind).fault, node: 'resource' });
      expect(messages.length).toBeGreaterThan(0);
      return messages;
    };
    for (const { command, direction } of lost('partition')) {
      expect(direction).toBe('request');
      expect(writes.all('write-accepted', { write: command })).toEqual([]);
    }
    for (const { command, direction } of lost('loss')) {
      expect(direction).toBe('reply');
      expect(writes.all('write-accepted', { write: command })).toHaveLength(1);
    }
    const [last] = writes.all('fault-ended').slice(-1);
    expect(writes.all('write-accepted').some(({ timeUs }) => timeUs > (last?.timeUs ?? 0))).toBe(true);
  });

  it.each(SHAPES)('partition-shape %s leaves each client with its nodes', (shape) => {
    const fault = shapes.started('partition-shape', SHAPES.indexOf(shape));
    for (const [client, seen] of Object.entries(SEEN_BY[shape])) {
      for (const node of NODES) {
        const commands = shapes.sentDuring(fault, SENT_WITHIN_MS, client, node);
        expect(commands.length).toBeGreaterThan(0);
        const answered = commands.filter((command) => shapes.answerTo(command) !== undefined);
        expect(answered, `${client} ${node}`).toHaveLength(seen.includes(node) ? commands.length : 0);
      }
    }
  });

  it('after each shape everybody sees every node again', () => {
    const [last] = shapes.all('fault-ended').slice(-1);
    for (const client of ['A', 'B', 'C', 'D']) {
      for (const node of NODES) expect(shapes.grantedAfter(last?.timeUs ?? 0, client, node)).toBeDefined();
    }
    expect(shapes.started('partition-shape').targets).toEqual(['A', 'B', 'C', 'D', ...NODES]);
  });
});
