import { describe, expect, it } from 'vitest';
import type { EventPattern } from './event-pattern.ts';
import type { HistoryEvent } from './event.ts';
import { matches } from './matches.ts';

const EXECUTED: HistoryEvent = {
  type: 'command-executed',
  timeUs: 1,
  command: 1,
  client: 'A',
  node: 'n1',
  kind: 'acquire',
  key: 'k',
  value: 'v',
  reply: 'granted',
  before: null,
  changed: true,
};
const FAILED: HistoryEvent = {
  type: 'acquire-failed',
  timeUs: 1,
  client: 'A',
  operation: 1,
  resource: 'r',
  phase: 'probe',
  code: 'contended',
};
const LOST: HistoryEvent = { type: 'key-lost', timeUs: 1, node: 'n1', key: 'k', value: 'v', cause: 'expired' };
const DROPPED: HistoryEvent = {
  type: 'message-lost',
  timeUs: 1,
  command: 1,
  client: 'A',
  node: 'n1',
  direction: 'reply',
  fault: 1,
};

describe('matches', () => {
  it.each<[HistoryEvent, EventPattern, boolean]>([
    [EXECUTED, { event: 'command-executed' }, true],
    [EXECUTED, { event: 'command-sent' }, false],
    [EXECUTED, { event: 'command-executed', client: 'A', node: 'n1', kind: 'acquire', reply: 'granted' }, true],
    [EXECUTED, { event: 'command-executed', client: 'B' }, false],
    [EXECUTED, { event: 'command-executed', node: 'n2' }, false],
    [EXECUTED, { event: 'command-executed', client: 'A', kind: 'release' }, false],
    [EXECUTED, { event: 'command-executed', reply: 'held' }, false],
    [FAILED, { event: 'acquire-failed', code: 'contended', phase: 'probe' }, true],
    [FAILED, { event: 'acquire-failed', code: 'expired' }, false],
    [FAILED, { event: 'acquire-failed', phase: 'workload' }, false],
    [LOST, { event: 'key-lost', cause: 'expired' }, true],
    [LOST, { event: 'key-lost', cause: 'evicted' }, false],
    [DROPPED, { event: 'message-lost', direction: 'reply' }, true],
    [DROPPED, { event: 'message-lost', direction: 'request' }, false],
    // A field that the event does not have cannot be as demanded.
    [LOST, { event: 'key-lost', client: 'A' }, false],
  ])('%j, %j: %s', (event, pattern, expected) => {
    expect(matches(event, pattern)).toBe(expected);
  });
});
