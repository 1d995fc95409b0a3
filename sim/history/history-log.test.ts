import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from './event.ts';
import { HistoryLog } from './history-log.ts';
import type { HistoryVisitor } from './history-visitor.ts';

const MESSAGES: readonly HistoryEvent[] = [
  { type: 'command-sent', timeUs: 1, command: 1, client: 'A', node: 'n1', kind: 'acquire', key: 'lock', value: 'v' },
  {
    type: 'command-executed',
    timeUs: 2,
    command: 1,
    client: 'A',
    node: 'n1',
    kind: 'extend',
    key: 'lock',
    value: 'v',
    reply: 'extended',
    before: null,
    changed: true,
  },
  {
    type: 'command-executed',
    timeUs: 2,
    command: 2,
    client: 'A',
    node: 'n2',
    kind: 'release',
    key: 'lock',
    value: 'v',
    reply: 'absent',
    before: 'w',
    changed: false,
  },
  { type: 'healed', timeUs: 2 },
  { type: 'reply-received', timeUs: 3.5, command: 1, client: 'A', node: 'n1', reply: 'extended' },
];

function logOf(events: readonly HistoryEvent[]): HistoryLog {
  const log = new HistoryLog();
  for (const event of events) log.record(event);
  return log;
}

/** Makes the events again of what is read to it. */
class Rewriter implements HistoryVisitor {
  readonly events: HistoryEvent[] = [];
  readonly indexes: number[] = [];
  private readonly texts = new Map<number, string>();
  private readonly log: HistoryLog;

  constructor(log: HistoryLog, texts: readonly string[]) {
    this.log = log;
    for (const text of texts) this.texts.set(log.placeOf(text), text);
  }

  visitSent: HistoryVisitor['visitSent'] = (index, timeUs, command, client, node, kind, key, value) => {
    const [clientText, nodeText, kindText, keyText, valueText] = this.textsOf(client, node, kind, key, value);
    this.keep(index, {
      type: 'command-sent',
      timeUs,
      command,
      client: clientText,
      node: nodeText,
      kind: kindText,
      key: keyText,
      value: valueText,
    } as HistoryEvent);
  };

  visitExecuted: HistoryVisitor['visitExecuted'] = (
    index,
    timeUs,
    command,
    client,
    node,
    kind,
    reply,
    key,
    value,
    before,
    changed,
  ) => {
    const [clientText, nodeText, kindText, replyText, keyText, valueText] = this.textsOf(
      client,
      node,
      kind,
      reply,
      key,
      value,
    );
    this.keep(index, {
      type: 'command-executed',
      timeUs,
      command,
      client: clientText,
      node: nodeText,
      kind: kindText,
      key: keyText,
      value: valueText,
      reply: replyText,
      before: before === -1 ? null : this.texts.get(before),
      changed,
    } as HistoryEvent);
  };

  visitReceived: HistoryVisitor['visitReceived'] = (index, timeUs, command, client, node, reply) => {
    const [clientText, nodeText, replyText] = this.textsOf(client, node, reply);
    this.keep(index, {
      type: 'reply-received',
      timeUs,
      command,
      client: clientText,
      node: nodeText,
      reply: replyText,
    } as HistoryEvent);
  };

  visitOther: HistoryVisitor['visitOther'] = (index, event) => {
    this.keep(index, event);
  };

  run(): void {
    this.log.visit(this);
  }

  private keep(index: number, event: HistoryEvent): void {
    this.indexes.push(index);
    this.events.push(event);
  }

  private textsOf(...places: readonly number[]): (string | undefined)[] {
    return places.map((place) => this.texts.get(place));
  }
}

const TEXTS = ['A', 'n1', 'n2', 'acquire', 'extend', 'release', 'lock', 'v', 'w', 'extended', 'absent'];

describe('HistoryLog', () => {
  it('gives back every event that it recorded', () => {
    const log = logOf(MESSAGES);
    expect([...log.since(0)]).toEqual(MESSAGES);
    expect(() => log.at(MESSAGES.length)).toThrow(new RangeError('There is no event 5: the history has 5'));
    expect(() => log.at(-1)).toThrow(RangeError);
  });

  it('reads the same events to a visitor as numbers', () => {
    const log = logOf(MESSAGES);
    const rewriter = new Rewriter(log, TEXTS);
    rewriter.run();
    expect(rewriter.events).toEqual(MESSAGES);
    expect(rewriter.indexes).toEqual([0, 1, 2, 3, 4]);
  });

  it('keeps apart texts that come up late in a long run', () => {
    const log = new HistoryLog();
    for (let value = 0; value < 70_000; value += 1) log.intern(`value ${value}`);
    for (const event of MESSAGES) log.record(event);
    expect([...log.since(0)]).toEqual(MESSAGES);
  });

  it('visits histories of more than one chunk in order', () => {
    const log = new HistoryLog();
    for (let timeUs = 0; timeUs < 40_000; timeUs += 1) {
      log.record({ type: 'reply-received', timeUs, command: timeUs, client: 'A', node: 'n1', reply: 'extended' });
    }
    const rewriter = new Rewriter(log, TEXTS);
    rewriter.run();
    expect(rewriter.events).toEqual([...log.since(0)]);
    expect(rewriter.events.at(-1)?.timeUs).toBe(39_999);
  });

  it('knows the places of the texts that it has seen, and no others', () => {
    const log = logOf(MESSAGES);
    expect(log.placeOf('w')).toBe(log.intern('w'));
    expect(log.placeOf('never seen')).toBe(-1);
  });
});
