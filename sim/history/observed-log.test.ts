import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from './event.ts';
import { ObservedLog } from './observed-log.ts';

const HEALED: HistoryEvent = { type: 'healed', timeUs: 1 };
const SENT: HistoryEvent = {
  type: 'command-sent',
  timeUs: 2,
  command: 1,
  client: 'A',
  node: 'n1',
  kind: 'acquire',
  key: 'k',
  value: 'v',
};
const EXECUTED: HistoryEvent = { ...SENT, type: 'command-executed', reply: 'granted', before: null, changed: true };
const RECEIVED: HistoryEvent = {
  type: 'reply-received',
  timeUs: 3,
  command: 1,
  client: 'A',
  node: 'n1',
  reply: 'granted',
};

describe('ObservedLog', () => {
  it.each([HEALED, SENT, EXECUTED, RECEIVED])(
    'tells who waits for it of an event $type, once, when it is there',
    (event) => {
      const log = new ObservedLog();
      const heard: unknown[] = [];
      log.watch(event.type, (told) => heard.push([told, log.length]));
      for (const any of [HEALED, SENT, EXECUTED, RECEIVED]) log.record(any);
      const place = [HEALED, SENT, EXECUTED, RECEIVED].indexOf(event);
      expect(heard).toEqual([[event, place + 1]]);
    },
  );

  it('tells of messages that are recorded by places', () => {
    const log = new ObservedLog();
    const heard: HistoryEvent[] = [];
    for (const type of ['command-sent', 'command-executed', 'reply-received'] as const) {
      log.watch(type, (event) => heard.push(event));
    }
    const [client, node, kind, key, value, reply] = ['A', 'n1', 'acquire', 'k', 'v', 'granted'].map((text) =>
      log.intern(text),
    ) as [number, number, number, number, number, number];
    log.recordSent(2, 1, client, node, kind, key, value);
    log.recordExecuted(2, 1, client, node, kind, reply, key, value, -1, true);
    log.recordReceived(3, 1, client, node, reply);
    expect(heard).toEqual([SENT, EXECUTED, RECEIVED]);
  });

  it('keeps the events like any log', () => {
    const log = new ObservedLog();
    const all = [HEALED, SENT, EXECUTED, RECEIVED];
    for (const event of all) log.record(event);
    expect(all.map((_event, index) => log.at(index))).toEqual(all);
    expect(log.length).toBe(4);
  });

  it('tells nobody who has stopped watching, and goes on telling the others, however often one stops', () => {
    const log = new ObservedLog();
    const heard: string[] = [];
    const stopFirst = log.watch('healed', () => heard.push('first'));
    stopFirst();
    log.watch('healed', () => heard.push('second'));
    stopFirst();
    log.record(HEALED);
    expect(heard).toEqual(['second']);
  });

  it('lets a watcher stop while it is told', () => {
    const log = new ObservedLog();
    const heard: string[] = [];
    const stop = log.watch('healed', () => {
      heard.push('once');
      stop();
    });
    log.watch('healed', () => heard.push('always'));
    log.record(HEALED);
    log.record(HEALED);
    expect(heard).toEqual(['once', 'always', 'always']);
  });
});
