import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../history/event.ts';
import { clockText, eventText, failureText, isMainEvent } from './event-text.ts';

const lease = { client: 'A', lease: 1, resource: 'stock' };
const write = { ...lease, timeUs: 5, write: 3, token: 7 };
const command = { timeUs: 5, command: 2, client: 'A', node: 'n1' };
const value = '0123456789abcdef';

const CASES: readonly [HistoryEvent, string][] = [
  [
    {
      type: 'acquire-invoked',
      timeUs: 5,
      client: 'A',
      operation: 1,
      resource: 'stock',
      ttlMs: 1500,
      phase: 'workload',
    },
    'A asks for the lock on stock, time to live 1.5 s.',
  ],
  [
    { type: 'acquire-invoked', timeUs: 5, client: 'A', operation: 1, resource: 'stock', ttlMs: 1500, phase: 'probe' },
    'A asks for the lock on stock, time to live 1.5 s (probe: is progress possible?).',
  ],
  [
    {
      type: 'acquire-granted',
      timeUs: 5,
      client: 'A',
      operation: 1,
      resource: 'stock',
      value,
      token: 7,
      attempts: 2,
      validityMs: 980,
      validUntilUs: 981_234,
      phase: 'workload',
    },
    'A gets the lock on stock with token 7, valid for 980 ms, that is until 981.234 ms, at attempt 2.',
  ],
  [
    {
      type: 'acquire-failed',
      timeUs: 5,
      client: 'A',
      operation: 1,
      resource: 'stock',
      code: 'contended',
      phase: 'workload',
    },
    'A does not get the lock on stock (contended: others held it on too many nodes).',
  ],
  [{ type: 'write-accepted', ...write }, 'stock accepts write 3 of A with token 7.'],
  [
    { type: 'write-refused', ...write, largestToken: 9 },
    'stock refuses write 3 of A: token 7 is smaller than 9, which it has seen.',
  ],
  [
    {
      type: 'command-executed',
      ...command,
      kind: 'acquire',
      key: 'stock',
      value,
      reply: 'held',
      before: 'fedcba9876543210',
      changed: false,
    },
    'n1 runs acquire of stock for A: held (held by another value); the key held fedcba98… and stayed so.',
  ],
  [
    { type: 'reply-received', ...command, reply: 'failed' },
    'A has the reply of n1: failed (the connection broke or was refused).',
  ],
  [
    { type: 'reply-received', ...command, reply: 'failed', error: 'OOM command not allowed' },
    'A has the reply of n1: failed (OOM command not allowed).',
  ],
  [
    { type: 'reply-received', ...command, reply: 'failed', sent: false },
    'A did not send it to n1: the connection is down or silent, or the node may not vote.',
  ],
  [{ type: 'message-lost', ...command, direction: 'reply', fault: 4 }, 'The reply of n1 to A is lost (fault 4).'],
  [
    { type: 'key-lost', timeUs: 5, node: 'n1', key: 'stock', value, cause: 'promotion' },
    'n1 no longer has the key stock: the promoted replica never had it.',
  ],
  [{ type: 'node-restarted', timeUs: 5, node: 'n1', keys: 0 }, 'n1 serves again, with no lock keys left.'],
  [{ type: 'node-restarted', timeUs: 5, node: 'n1', keys: 1 }, 'n1 serves again, with 1 lock key left.'],
  [
    { type: 'node-clock-changed', timeUs: 5, node: 'n1', byMs: -10_000, rate: 1, offsetMs: -9_997 },
    'The clock of n1 changes: −10 s. It is 9.997 s behind the true time now.',
  ],
  [
    { type: 'node-clock-changed', timeUs: 5, node: 'n1', byMs: 0, rate: 1.01, offsetMs: 0 },
    'The clock of n1 changes: runs at 1.01 times the true rate. It is right now.',
  ],
  [
    { type: 'node-clock-changed', timeUs: 5, node: 'n1', byMs: 20, rate: 1, offsetMs: null },
    'The clock of n1 changes: +20 ms. The node is down, and finds it so when it is back.',
  ],
  [
    { type: 'fault-missed', timeUs: 5, fault: 2, kind: 'flush', nodes: ['n1', 'n2'] },
    'Fault 2 (flush) has no effect: n1, n2 do not run.',
  ],
  [
    { type: 'fault-missed', timeUs: 5, fault: 2, kind: 'client-pause', nodes: [] },
    'Fault 2 (client-pause) has no effect: there is nobody that it is aimed at.',
  ],
  [{ type: 'run-ended', timeUs: 5, reason: 'the time limit' }, 'The run ends early: the time limit.'],
];

describe('eventText', () => {
  it.each(CASES)('%j', (event, text) => expect(eventText(event)).toBe(text));
});

describe('failureText', () => {
  it('keeps a code that it does not know', () => expect(failureText('extension-refused')).toBe('extension-refused'));
});

describe('clockText', () => {
  it.each([
    [0, 1, 'back to the true rate'],
    [20, 1, '+20 ms'],
    [0, 1.01, 'runs at 1.01 times the true rate'],
    [-0.5, 0.9, '−500 µs, runs at 0.9 times the true rate'],
  ])('a step of %d ms and a rate of %d: %s', (byMs, rate, text) => expect(clockText({ byMs, rate })).toBe(text));
});

describe('isMainEvent', () => {
  it('leaves out what comes by the thousand', () => {
    expect(isMainEvent({ type: 'reply-received', ...command, reply: 'granted' })).toBe(false);
    expect(isMainEvent({ type: 'client-paused', timeUs: 5, client: 'A' })).toBe(true);
  });
});
