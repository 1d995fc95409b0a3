import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  CommandExecuted,
  CommandSent,
  HistoryEvent,
  ReplyReceived,
  WriteAccepted,
} from '../../../history/event.ts';
import { eventsOf } from '../../../history/events-of.ts';
import { HistoryLog } from '../../../history/history-log.ts';
import { LinkDisturbances } from '../links/link-disturbances.ts';
import type { WriteDecision } from '../../../workload/protected-resource.ts';
import { type MergedHistory, mergeHistory } from './real-history.ts';

const NAMES = { node: 'n1', kind: 'acquire', key: 'lock:r', value: 'v' } as const;

function sent(command: number, timeUs: number, more: Partial<CommandSent> = {}): CommandSent {
  return { type: 'command-sent', timeUs, command, client: 'A', ...NAMES, ...more };
}

/** As the run hears of it. */
function ran(timeUs: number, more: Partial<CommandExecuted> = {}): CommandExecuted {
  return {
    type: 'command-executed',
    timeUs,
    command: 0,
    client: '',
    ...NAMES,
    reply: 'granted',
    before: null,
    changed: true,
    ...more,
  };
}

function received(
  command: number,
  timeUs: number,
  reply = 'granted',
  more: Partial<ReplyReceived> = {},
): ReplyReceived {
  return { type: 'reply-received', timeUs, command, client: 'A', node: 'n1', reply, ...more };
}

function logOf(events: readonly HistoryEvent[]): HistoryLog {
  const log = new HistoryLog();
  for (const event of events) log.record(event);
  return log;
}

function merge(
  run: readonly HistoryEvent[],
  client: readonly HistoryEvent[],
  disturbances = new LinkDisturbances(),
  others: readonly HistoryEvent[][] = [],
  writeDecisions: ReadonlyMap<number, WriteDecision> = new Map(),
  writeErrors: ReadonlyMap<number, string> = new Map(),
): MergedHistory {
  const clients = [client, ...others].map(logOf);
  return mergeHistory({ run: logOf(run), clients, disturbances, writeDecisions, writeErrors });
}

/** What became of it, in short: `4 command-executed 1`. */
function told({ history }: MergedHistory): string[] {
  return [...eventsOf(history)].map((event) => {
    const about = 'command' in event ? ` ${event.command}` : 'node' in event ? ` ${event.node}` : '';
    const how =
      event.type === 'message-lost' || event.type === 'message-delayed' ? ` ${event.direction} by ${event.fault}` : '';
    return `${event.timeUs} ${event.type}${about}${how}`;
  });
}

function withFault(
  effect: 'cut' | 'slow',
  direction: 'request' | 'reply',
  fromUs: number,
  untilUs: number,
  more: { server?: string; fault?: number | null; leastDelayUs?: number; inForceUs?: number } = {},
): LinkDisturbances {
  const disturbances = new LinkDisturbances();
  const leastDelayUs = effect === 'slow' ? 1 : 0;
  disturbances.begin({
    fault: 7,
    client: 'A',
    server: 'n1',
    direction,
    effect,
    leastDelayUs,
    fromUs,
    ...more,
  }).untilUs = untilUs;
  return disturbances;
}

const STARTED = { type: 'run-started', timeUs: 0 } as HistoryEvent;

describe('the order of a merged history', () => {
  it('is that of true time, whoever has seen it', () => {
    const merged = merge([STARTED, ran(12), { type: 'healed', timeUs: 30 }], [sent(1, 10), received(1, 14)]);
    expect(told(merged)).toEqual([
      '0 run-started',
      '10 command-sent 1',
      '12 command-executed 1',
      '14 reply-received 1',
      '30 healed',
    ]);
    expect(merged.history.at(2)).toEqual(ran(12, { command: 1, client: 'A' }));
  });

  it('puts an execution that is heard of late between its request and its reply', () => {
    expect(told(merge([ran(40)], [sent(1, 10), received(1, 14)]))).toEqual([
      '10 command-sent 1',
      '14 command-executed 1',
      '14 reply-received 1',
    ]);
  });

  it('keeps the order of a node, even where only the later execution is known to be early', () => {
    const value = 'w';
    const merged = merge(
      [ran(20), ran(21, { value, reply: 'held' })],
      [sent(1, 10), sent(2, 11, { value }), received(2, 15, 'held'), received(1, 30)],
    );
    expect(told(merged)).toEqual([
      '10 command-sent 1',
      '11 command-sent 2',
      '15 command-executed 1',
      '15 command-executed 2',
      '15 reply-received 2',
      '30 reply-received 1',
    ]);
  });

  it('puts no execution before its request, not even where the times contradict each other', () => {
    const value = 'w';
    const release = { kind: 'release' as const };
    // The node ran what was sent at 20 before what was answered at 15, if that was stamped right.
    const merged = merge(
      [ran(30, { value }), ran(31, { ...release, reply: 'released' })],
      [sent(1, 10, release), sent(2, 12, release), received(1, 15, 'released')],
      new LinkDisturbances(),
      [[sent(3, 20, { value, client: 'B' })]],
    );
    expect(told(merged).filter((line) => line.endsWith('3'))).toEqual(['20 command-sent 3', '20 command-executed 3']);
  });

  it('keeps a lost key before the command that found it gone', () => {
    const lost: HistoryEvent = {
      type: 'key-lost',
      timeUs: 20,
      node: 'n1',
      key: 'lock:r',
      value: 'u',
      cause: 'expired',
    };
    expect(told(merge([lost, ran(20)], [sent(1, 10), received(1, 15)]))).toEqual([
      '10 command-sent 1',
      '15 key-lost n1',
      '15 command-executed 1',
      '15 reply-received 1',
    ]);
  });

  it('in one microsecond a request comes first, then what the server does, then all that follows', () => {
    const run: HistoryEvent[] = [{ type: 'node-paused', timeUs: 10, node: 'n1' }, ran(10), STARTED];
    expect(told(merge(run, [sent(1, 10), received(1, 10)]))).toEqual([
      '0 run-started',
      '10 command-sent 1',
      '10 command-executed 1',
      '10 reply-received 1',
      '10 node-paused n1',
    ]);
  });
});

describe('equal commands', () => {
  const release = { kind: 'release' as const };
  const gone = { ...release, reply: 'absent', changed: false };

  it('are told apart by their answers', () => {
    const merged = merge(
      [ran(12, { ...release, reply: 'released' }), ran(32, gone)],
      [sent(1, 10, release), sent(2, 30, release), received(2, 35, 'absent')],
    );
    expect(told(merged)).toEqual([
      '10 command-sent 1',
      '12 command-executed 1',
      '30 command-sent 2',
      '32 command-executed 2',
      '35 reply-received 2',
    ]);
  });

  it('are told apart by nothing but their answers, where all are on their way at once and one is lost', () => {
    const released = { ...release, reply: 'released' };
    const executed = (answered: number, answer: string): string[] => {
      const requests = [1, 2, 3].map((command) => sent(command, 10 + command, release));
      const merged = merge([ran(20, released), ran(25, gone)], [...requests, received(answered, 40, answer)]);
      return told(merged).filter((line) => line.includes('executed'));
    };
    // The third was lost.
    expect(executed(2, 'absent')).toEqual(['20 command-executed 1', '25 command-executed 2']);
    // The first was lost.
    expect(executed(2, 'released')).toEqual(['20 command-executed 2', '25 command-executed 3']);
  });

  it('that is left belongs to a request before it', () => {
    const merged = merge([ran(32, gone)], [sent(1, 10, release), sent(2, 30, release), sent(3, 40, release)]);
    expect(told(merged)).toContain('32 command-executed 2');
  });

  it('are found by their times where they are answered alike', () => {
    const extend = { kind: 'extend' as const };
    const merged = merge(
      [ran(12, { ...extend, reply: 'extended' }), ran(32, { ...extend, reply: 'extended' })],
      [sent(1, 10, extend), received(1, 15, 'extended'), sent(2, 30, extend)],
    );
    expect(told(merged).filter((line) => line.includes('executed'))).toEqual([
      '12 command-executed 1',
      '32 command-executed 2',
    ]);
  });

  it('are found even if the news was late', () => {
    const merged = merge(
      [ran(31, { ...release, reply: 'released' })],
      [sent(1, 10, release), received(1, 15, 'released'), sent(2, 30, release)],
    );
    expect(told(merged)).toContain('15 command-executed 1');
  });

  it('are found by what the answers to others tell of the order of their node', () => {
    const merged = merge(
      [ran(40, { ...release, reply: 'released' }), ran(41, { value: 'w' })],
      [sent(1, 10, release), sent(2, 12, { value: 'w' }), received(2, 15), sent(3, 30, release)],
    );
    expect(told(merged).filter((line) => line.includes('executed'))).toEqual([
      '15 command-executed 1',
      '15 command-executed 2',
    ]);
  });

  it('whose connection broke may run after that', () => {
    const merged = merge(
      [ran(40, { ...release, reply: 'released' })],
      [sent(1, 10, release), received(1, 20, 'failed')],
    );
    expect(told(merged)).toEqual(['10 command-sent 1', '20 reply-received 1', '40 command-executed 1']);
  });

  it('that were refused may not even have begun: first come those whose answer is not known', () => {
    const refused = received(1, 15, 'failed', { error: 'LOADING Redis is loading' });
    const merged = merge([ran(31, gone)], [sent(1, 10, release), refused, sent(2, 12, release)]);
    expect(told(merged)).toContain('31 command-executed 2');
  });

  it('that nobody sent is no one’s', () => {
    const merged = merge([ran(5), ran(12)], [sent(1, 10), received(1, 14)]);
    expect(merged.unclaimed).toEqual([ran(5)]);
    expect(told(merged)).toEqual(['10 command-sent 1', '12 command-executed 1', '14 reply-received 1']);
  });
});

describe('a command that a node refused with an error', () => {
  const refused = received(1, 14, 'failed', { error: 'NOREPLICAS Not enough good replicas to write.' });

  it('did nothing there, whatever was concluded from its having begun', () => {
    const { history } = merge([ran(12)], [sent(1, 10), refused]);
    expect([...eventsOf(history)]).toEqual([
      sent(1, 10),
      ran(12, { command: 1, client: 'A', reply: 'failed', changed: false }),
      refused,
    ]);
  });

  it('was begun before the answer, however late that was heard of', () => {
    expect(told(merge([ran(90)], [sent(1, 10), refused]))).toContain('14 command-executed 1');
  });

  it('may not even have begun', () => {
    expect(told(merge([], [sent(1, 10), refused]))).toEqual(['10 command-sent 1', '14 reply-received 1']);
  });
});

describe('messages that nobody saw', () => {
  const failed = received(1, 50, 'failed');

  it('a request is lost if something cut its way before it was given up', () => {
    expect(told(merge([], [sent(1, 10), failed], withFault('cut', 'request', 5, 60)))).toContain(
      '10 message-lost 1 request by 7',
    );
    // What broke the connection a moment later, too.
    expect(told(merge([], [sent(1, 10), failed], withFault('cut', 'request', 20, 30)))).toContain(
      '10 message-lost 1 request by 7',
    );
  });

  it.each([
    ['the other direction', withFault('cut', 'reply', 5, 60)],
    ['another node', withFault('cut', 'request', 5, 60, { server: 'n2' })],
    ['before', withFault('cut', 'request', 5, 9)],
    ['afterwards', withFault('cut', 'request', 51, 60)],
    ['nothing', withFault('slow', 'request', 5, 60)],
  ])('a request that failed is not lost if what was cut is %s', (_what, disturbances) => {
    expect(told(merge([], [sent(1, 10), failed], disturbances))).toEqual(['10 command-sent 1', '50 reply-received 1']);
  });

  it('a request that its own client never sent is not lost, whatever cut its way', () => {
    const refused = received(1, 50, 'failed', { sent: false });
    const cut = withFault('cut', 'request', 5, 60);
    expect(told(merge([], [sent(1, 10), refused], cut))).toEqual(['10 command-sent 1', '50 reply-received 1']);
  });

  it('what was never sent did not run: an equal command did', () => {
    const refused = received(2, 12, 'failed', { sent: false });
    const merged = merge([ran(20)], [sent(1, 10), sent(2, 11), refused]);
    expect(told(merged)).toContain('20 command-executed 1');
    expect(merge([ran(20)], [sent(2, 11), refused]).unclaimed).toEqual([ran(20)]);
  });

  it.each([
    [50, ['10 command-sent 1', '10 message-lost 1 request by 7', '50 reply-received 1']],
    [51, ['10 command-sent 1', '50 reply-received 1']],
  ])(
    'a connection that broke is put down to a cut only if that was in force by then (since %d)',
    (inForceUs, story) => {
      const cut = withFault('cut', 'request', 40, 90, { inForceUs });
      expect(told(merge([], [sent(1, 10), failed], cut))).toEqual(story);
    },
  );

  it('a reply that is lost by then neither', () => {
    const lostBy = (inForceUs: number, direction: 'request' | 'reply'): boolean =>
      told(merge([ran(12)], [sent(1, 10), failed], withFault('cut', direction, 40, 90, { inForceUs })))
        .join()
        .includes('lost');
    expect([lostBy(50, 'reply'), lostBy(51, 'reply')]).toEqual([true, false]);
    expect([lostBy(50, 'request'), lostBy(51, 'request')]).toEqual([true, false]);
  });

  it('a reply is lost if its command ran', () => {
    expect(told(merge([ran(12)], [sent(1, 10), failed], withFault('cut', 'reply', 5, 60)))).toEqual([
      '10 command-sent 1',
      '12 command-executed 1',
      '12 message-lost 1 reply by 7',
      '50 reply-received 1',
    ]);
    expect(told(merge([ran(12)], [sent(1, 10)], withFault('cut', 'reply', 5, 60)))).toContain(
      '12 message-lost 1 reply by 7',
    );
  });

  it.each([
    ['was cut and closed again before', withFault('cut', 'reply', 14, 16), 40],
    ['was cut, without anybody hearing of it', withFault('cut', 'reply', 14, 16), null],
    ['is closed behind requests that were cut', withFault('cut', 'request', 14, 16), 40],
    ['breaks under requests that are cut still', withFault('cut', 'request', 14, 60), 40],
  ])('a reply is lost if its command runs late, and the connection %s', (_why, disturbances, failedUs) => {
    const client = [sent(1, 10), ...(failedUs === null ? [] : [received(1, failedUs, 'failed')])];
    expect(told(merge([ran(30)], client, disturbances))).toContain('30 message-lost 1 reply by 7');
    // The client may know before the server has got to it.
    const early = [sent(1, 10), ...(failedUs === null ? [] : [received(1, 17, 'failed')])];
    expect(told(merge([ran(30)], early, disturbances))).toContain('30 message-lost 1 reply by 7');
  });

  it.each([
    ['before its request was sent', withFault('cut', 'reply', 5, 9), failed],
    ['after the sender gave up', withFault('cut', 'reply', 51, 60), failed],
    ['nowhere but on the way of requests, and the connection did not break', withFault('cut', 'request', 5, 60), null],
  ])('a reply that never came is not lost if something was cut %s', (_when, disturbances, end) => {
    expect(told(merge([ran(30)], [sent(1, 10), ...(end === null ? [] : [end])], disturbances)).join()).not.toContain(
      'lost',
    );
  });

  it('a connection that breaks without a fault loses, too', () => {
    const disturbances = withFault('cut', 'reply', 20, 20, { fault: null });
    expect(told(merge([ran(12)], [sent(1, 10), failed], disturbances))).toContain('12 message-lost 1 reply by null');
  });

  it('an answer that is an error is not lost', () => {
    const full = ran(12, { reply: 'failed', changed: false });
    const error = received(1, 15, 'failed', { error: 'OOM' });
    expect(told(merge([full], [sent(1, 10), error], withFault('cut', 'reply', 5, 60))).join()).not.toContain('lost');
    // Of what was refused before it ran no request is lost.
    expect(told(merge([], [sent(1, 10), error], withFault('cut', 'request', 5, 60))).join()).not.toContain('lost');
    const broken = received(1, 15, 'failed');
    expect(told(merge([full], [sent(1, 10), broken], withFault('cut', 'reply', 5, 60)))).toContain(
      '12 message-lost 1 reply by 7',
    );
  });

  it('messages that took no time are not late', () => {
    const events = [sent(1, 10), received(1, 10)];
    for (const direction of ['request', 'reply'] as const)
      expect(told(merge([ran(10)], events, withFault('slow', direction, 5, 20))).join()).not.toContain('delayed');
  });

  it('messages are late by what they took under a fault that slows them, each way', () => {
    const requests = merge([ran(60)], [sent(1, 10), received(1, 64)], withFault('slow', 'request', 5, 20));
    expect(told(requests)[1]).toBe('10 message-delayed 1 request by 7');
    expect(requests.history.at(1)).toMatchObject({ byUs: 50 });
    const replies = merge([ran(12)], [sent(1, 10), received(1, 64)], withFault('slow', 'reply', 5, 20));
    expect(told(replies)[2]).toBe('12 message-delayed 1 reply by 7');
    expect(replies.history.at(2)).toMatchObject({ byUs: 52 });
    expect(
      told(merge([ran(12)], [sent(1, 10), received(1, 64)], withFault('slow', 'reply', 13, 20))).join(),
    ).not.toContain('delayed');
  });

  it.each([
    ['request', 20, { leastDelayUs: 51 }],
    ['reply', 20, { leastDelayUs: 55 }],
    // What may delay by nothing.
    ['request', 20, { leastDelayUs: 0 }],
    ['reply', 20, { leastDelayUs: 0 }],
    ['request', 20, { fault: null }],
  ] as const)('a %s that was quicker than a fault lets any be was not slowed by it', (direction, untilUs, more) => {
    const exchange = [sent(1, 10), received(1, 64)];
    const ranUs = direction === 'request' ? 60 : 12;
    expect(told(merge([ran(ranUs)], exchange, withFault('slow', direction, 5, untilUs, more))).join()).not.toContain(
      'delayed',
    );
  });

  it('a reply is slow if the round trip has room for the delays of both ways, however late one heard of the execution', () => {
    const both = (leastDelayUs: number): string => {
      const disturbances = withFault('slow', 'request', 5, 70, { leastDelayUs: 20 });
      disturbances.begin({
        fault: 8,
        client: 'A',
        server: 'n1',
        direction: 'reply',
        effect: 'slow',
        fromUs: 5,
        leastDelayUs,
      });
      const merged = merge([ran(60)], [sent(1, 10), received(1, 64)], disturbances);
      return told(merged)
        .filter((line) => line.includes('delayed'))
        .join();
    };
    expect(both(34)).toBe('10 message-delayed 1 request by 7,60 message-delayed 1 reply by 8');
    expect(both(35)).toBe('10 message-delayed 1 request by 7');
  });
});

describe('writes', () => {
  const write = { client: 'A', write: 3, lease: 1, resource: 'r', token: null };
  const toResource = { server: 'resource' };
  const writeSent: HistoryEvent = { type: 'write-sent', timeUs: 10, ...write };

  it('are taken after they were sent, in the order of the resource', () => {
    const other = { ...write, write: 4, client: 'B' };
    const merged = merge(
      [
        { type: 'write-accepted', timeUs: 8, ...write },
        { type: 'write-refused', timeUs: 9, ...other, largestToken: 5 },
      ],
      [writeSent],
      new LinkDisturbances(),
      [[{ type: 'write-sent', timeUs: 4, ...other }]],
    );
    expect(told(merged)).toEqual(['4 write-sent', '10 write-sent', '10 write-accepted', '10 write-refused']);
  });

  it('are lost, or late, or their acknowledgement is lost', () => {
    const accepted: HistoryEvent = { type: 'write-accepted', timeUs: 30, ...write };
    expect(told(merge([], [writeSent], withFault('cut', 'request', 5, 60, toResource)))).toContain(
      '10 message-lost 3 request by 7',
    );
    expect(told(merge([accepted], [writeSent], withFault('slow', 'request', 5, 60, toResource)))).toContain(
      '10 message-delayed 3 request by 7',
    );
    expect(told(merge([accepted], [writeSent], withFault('cut', 'reply', 5, 60, toResource)))).toContain(
      '30 message-lost 3 reply by 7',
    );
    // The connection was closed before the resource got to it.
    expect(told(merge([accepted], [writeSent], withFault('cut', 'reply', 12, 14, toResource)))).toContain(
      '30 message-lost 3 reply by 7',
    );
    expect(told(merge([accepted], [writeSent], withFault('cut', 'request', 5, 60, toResource)))).toEqual([
      '10 write-sent',
      '30 write-accepted',
    ]);
  });

  it('are told with what was answered; then no acknowledgement is lost, though one could have been', () => {
    const accepted: WriteAccepted = { type: 'write-accepted', timeUs: 30, ...write };
    const decisions = new Map([[3, { accepted: true } as const]]);
    const cut = withFault('cut', 'reply', 5, 60, toResource);
    const merged = merge([accepted], [writeSent], cut, [], decisions);
    expect(merged.writes).toMatchObject([
      { sent: writeSent, taken: { event: accepted }, decision: { accepted: true } },
    ]);
    expect(told(merged)).toEqual(['10 write-sent', '30 write-accepted']);
    expect(merge([], [writeSent]).writes).toEqual([{ sent: writeSent, taken: null, decision: null, error: null }]);
  });

  it('that the resource refused with an error did not happen there, whatever was concluded, and lose no answer', () => {
    const accepted: HistoryEvent = { type: 'write-accepted', timeUs: 30, ...write };
    const cut = withFault('cut', 'reply', 5, 60, toResource);
    const merged = merge([accepted], [writeSent], cut, [], new Map(), new Map([[3, 'NOREPLICAS Not enough']]));
    expect(told(merged)).toEqual(['10 write-sent']);
    expect(merged.writes).toMatchObject([{ decision: null, error: 'NOREPLICAS Not enough' }]);
  });
});

describe('whatever happened, and however late it was heard of', () => {
  const step = fc.record({
    client: fc.constantFrom('A', 'B', 'C'),
    node: fc.constantFrom('n1', 'n2'),
    // Few, so that there are equal releases.
    value: fc.constantFrom('v1', 'v2'),
    isAcquire: fc.boolean(),
    afterUs: fc.integer({ min: 0, max: 150 }),
    requestUs: fc.integer({ min: 0, max: 400 }),
    replyUs: fc.integer({ min: 0, max: 400 }),
    lateUs: fc.nat(600),
    fate: fc.constantFrom('answered', 'answered', 'answered', 'request lost', 'reply lost', 'failed'),
  });

  it('every event is there once, in order, and what was answered was run in between with that answer', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const clients = new Map<string, HistoryEvent[]>([
          ['A', []],
          ['B', []],
          ['C', []],
        ]);
        const runs: CommandExecuted[] = [];
        let nowUs = 0;
        steps.forEach(({ client, node, value, isAcquire, afterUs, requestUs, replyUs, lateUs, fate }, index) => {
          // A process gives no two events one stamp.
          nowUs = Math.ceil((nowUs + afterUs) / 100) * 100 + index * 2;
          const names = isAcquire
            ? { client, node, kind: 'acquire' as const, value: `v${index}` }
            : { client, node, kind: 'release' as const, value: `${client}${value}` };
          const reply = isAcquire ? 'granted' : index % 2 === 0 ? 'released' : 'absent';
          const command = index + 1;
          const events = clients.get(client) ?? [];
          events.push(sent(command, nowUs, names));
          let ranUs = nowUs;
          if (fate !== 'request lost') {
            const before = runs.filter((run) => run.node === node).at(-1)?.timeUs ?? 0;
            ranUs = Math.max(nowUs + requestUs, before);
            runs.push({ ...ran(ranUs, { ...names, client: '', reply }), command: lateUs });
          }
          const arrivedUs = Math.ceil((ranUs + replyUs) / 100) * 100 + index * 2 + 1;
          if (fate === 'answered') events.push(received(command, arrivedUs, reply, { client, node }));
          if (fate === 'failed') events.push(received(command, arrivedUs + 1000, 'failed', { client, node }));
        });
        // News of one node comes in order.
        const heardUs = new Map<string, number>();
        const run = runs.map((execution) => {
          const timeUs = Math.max(execution.timeUs + execution.command, heardUs.get(execution.node) ?? 0);
          heardUs.set(execution.node, timeUs);
          return { ...execution, timeUs, command: 0 };
        });
        const histories = [...clients.values()].map((events) =>
          [...events].sort((one, other) => one.timeUs - other.timeUs),
        );
        const merged = mergeHistory({
          run: logOf(run),
          clients: histories.map(logOf),
          disturbances: new LinkDisturbances(),
          writeDecisions: new Map(),
          writeErrors: new Map(),
        });
        const events = [...eventsOf(merged.history)];
        expect(merged.unclaimed).toEqual([]);
        expect(events).toHaveLength(run.length + histories.flat().length);
        const times = events.map(({ timeUs }) => timeUs);
        expect(times).toEqual([...times].sort((one, other) => one - other));
        histories.forEach((own, index) => {
          const client = ['A', 'B', 'C'][index];
          expect(
            events.filter((event) => event.type !== 'command-executed' && 'client' in event && event.client === client),
          ).toEqual(own);
        });
        for (const node of ['n1', 'n2']) {
          const names = (all: readonly HistoryEvent[]): string[] =>
            all.flatMap((event) =>
              event.type === 'command-executed' && event.node === node
                ? [`${event.kind} ${event.value} ${event.reply}`]
                : [],
            );
          expect(names(events)).toEqual(names(run));
        }
        for (const { sent: request, execution, received: answer } of merged.exchanges) {
          const place = (type: HistoryEvent['type']): number =>
            events.findIndex((event) => event.type === type && 'command' in event && event.command === request.command);
          if (execution !== null) expect(place('command-executed')).toBeGreaterThan(place('command-sent'));
          if (answer === null || answer.reply === 'failed') continue;
          expect(execution?.event.reply).toBe(answer.reply);
          expect(place('reply-received')).toBeGreaterThan(place('command-executed'));
        }
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});
