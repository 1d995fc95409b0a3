import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryHistory } from '../checkers/arbitrary-history.ts';
import { HistoryBuilder } from '../checkers/history-builder.ts';
import type { HistoryEvent } from './event.ts';
import { decodeHistory, encodeEvent, encodeHistory } from './ndjson.ts';

function shortHistory(): string {
  const run = new HistoryBuilder();
  run.grant({ grantedMs: 10, untilMs: 110 });
  return encodeHistory(run.build());
}

/** Events of the types that no lock cycle has. */
const FAULTS: readonly HistoryEvent[] = [
  {
    type: 'message-lost',
    timeUs: 1,
    command: 1,
    client: 'A',
    node: 'n1',
    direction: 'reply',
    fault: null,
  },
  {
    type: 'message-delayed',
    timeUs: 2,
    command: 1,
    client: 'A',
    node: 'n1',
    direction: 'request',
    byUs: 5,
    fault: 1,
  },
  { type: 'reply-received', timeUs: 2, command: 1, client: 'A', node: 'n1', reply: 'failed', error: 'OOM' },
  { type: 'reply-received', timeUs: 2, command: 2, client: 'A', node: 'n1', reply: 'failed', sent: false },
  { type: 'key-lost', timeUs: 3, node: 'n1', key: 'lock', value: 'v', cause: 'evicted' },
  { type: 'fault-missed', timeUs: 4, fault: 2, kind: 'flush', nodes: ['n1'] },
  { type: 'fault-started', timeUs: 4, fault: 1, kind: 'partition', targets: ['A', 'n1'], description: 'A | n1' },
  { type: 'fault-ended', timeUs: 5, fault: 1 },
  { type: 'node-restarted', timeUs: 6, node: 'n1', keys: 0 },
  { type: 'client-clock-changed', timeUs: 7, client: 'A', clock: 'wall', byMs: -3.5, rate: 1 },
  {
    type: 'write-refused',
    timeUs: 8,
    client: 'A',
    write: 1,
    lease: 1,
    resource: 'lock',
    token: 1,
    largestToken: 2,
  },
];

describe('a saved history', () => {
  it('comes back as it was, byte for byte', () => {
    fc.assert(
      fc.property(arbitraryHistory, (history) => {
        const text = encodeHistory(history);
        const decoded = decodeHistory(text);
        expect([...decoded.since(0)]).toEqual([...history.since(0)]);
        expect(encodeHistory(decoded)).toBe(text);
      }),
    );
  });

  it('comes back with what faults did', () => {
    const text = FAULTS.map((event) => `${encodeEvent(event)}\n`).join('');
    expect([...decodeHistory(text).since(0)]).toEqual(FAULTS);
  });

  it('loses no more than the line that it was cut off in', () => {
    const text = shortHistory();
    const whole = decodeHistory(text);
    const lastLine = text.trimEnd().lastIndexOf('\n') + 1;
    for (let length = lastLine; length < text.length - 1; length += 1) {
      expect(decodeHistory(text.slice(0, length)).length).toBe(whole.length - 1);
    }
    expect(decodeHistory(text.trimEnd()).length).toBe(whole.length);
    expect(decodeHistory('').length).toBe(0);
  });

  it('may have line ends of Windows', () => {
    const text = shortHistory();
    expect(encodeHistory(decodeHistory(text.replaceAll('\n', '\r\n')))).toBe(text);
  });
});

describe('a line that is not an event is named', () => {
  const first = `${shortHistory().split('\n')[0] ?? ''}\n`;
  const withClocks = (clocks: string): [line: string, message: string] => [
    first.replace(/"clocks":.*\}/, `${clocks}}`).replace(',}', '}'),
    'Line 2 of the history (run-started) needs clocks to be clocks by client',
  ];

  it.each([
    ['{"type":\n', 'Line 2 of the history is not JSON'],
    ['\n', 'Line 2 of the history is empty: take it out'],
    ['null\n', 'Line 2 of the history is not an event: it must be an object with type and timeUs'],
    ['{"timeUs":1}\n', 'Line 2 of the history is not an event: it has no type'],
    ['{"type":"healed"}\n', 'Line 2 of the history (healed) needs a timeUs of zero or more'],
    ['{"type":"healed","timeUs":-1}\n', 'Line 2 of the history (healed) needs a timeUs of zero or more'],
    [
      '{"type":"toString","timeUs":1}\n',
      'Line 2 of the history has the type "toString", which this version does not know',
    ],
    [
      '{"type":"release-done","timeUs":1,"client":"A","operation":1}\n',
      'Line 2 of the history (release-done) needs lease to be a number',
    ],
    [
      '{"type":"fault-started","timeUs":1,"fault":1,"kind":"loss","targets":"A","description":""}\n',
      'Line 2 of the history (fault-started) needs targets to be texts',
    ],
    [
      '{"type":"acquire-invoked","timeUs":1,"client":"A","operation":1,"resource":"a, b","resources":[1],"ttlMs":1,"phase":"workload"}\n',
      'Line 2 of the history (acquire-invoked) needs resources to be texts, or left out',
    ],
    [
      '{"type":"reply-received","timeUs":1,"command":1,"client":"A","node":"n1","reply":"failed","error":5}\n',
      'Line 2 of the history (reply-received) needs error to be a text, or left out',
    ],
    [
      '{"type":"reply-received","timeUs":1,"command":1,"client":"A","node":"n1","reply":"failed","sent":true}\n',
      'Line 2 of the history (reply-received) needs sent to be false, or left out',
    ],
    [
      first.replace('"format":1', '"format":2'),
      'Line 2 of the history (run-started) has a format other than 1: record the run anew',
    ],
    ...['', '"clocks":null', '"clocks":{"A":1}', '"clocks":{"A":{"clock":"sun","rate":1}}'].map(withClocks),
    withClocks('"clocks":{"A":{"clock":"wall","rate":0}}'),
    // Cut off, but whole all the same.
    ['{"type":"healed"}', 'Line 2 of the history (healed) needs a timeUs of zero or more'],
  ])('%j', (line, message) => {
    expect(() => decodeHistory(first + line)).toThrow(new Error(message));
  });
});
