import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Resp, RespReader } from './resp-reader.ts';

function read(...pieces: readonly (string | Buffer)[]): Resp[] {
  const reader = new RespReader();
  return pieces.flatMap((piece) => [...reader.read(Buffer.from(piece))]);
}

const text = fc
  .string({ unit: 'grapheme' })
  .map((value): [string, Resp] => [`$${Buffer.byteLength(value)}\r\n${value}\r\n`, { kind: 'text', text: value }]);
const line = fc
  .string({ unit: 'grapheme' })
  .filter((value) => !/[\r\n]/.test(value))
  .map((value): [string, Resp] => [`+${value}\r\n`, { kind: 'line', text: value }]);
const number = fc.integer().map((value): [string, Resp] => [`:${value}\r\n`, { kind: 'text', text: String(value) }]);
const flat = fc.oneof(text, line, number);
const push = fc
  .array(flat, { maxLength: 4 })
  .map((items): [string, Resp] => [
    `>${items.length}\r\n${items.map(([bytes]) => bytes).join('')}`,
    { kind: 'push', items: items.map(([, item]) => item) },
  ]);
const map = fc.array(fc.tuple(text, flat), { maxLength: 3 }).map((pairs): [string, Resp] => [
  `%${pairs.length}\r\n${pairs
    .flat()
    .map(([bytes]) => bytes)
    .join('')}`,
  { kind: 'list', items: pairs.flat().map(([, item]) => item) },
]);

describe('RespReader', () => {
  it('reads lines, errors, texts, numbers and lists', () => {
    expect(read('+OK\r\n-ERR no\r\n$3\r\na\r\n\r\n:7\r\n_\r\n*2\r\n#t\r\n*0\r\n')).toEqual([
      { kind: 'line', text: 'OK' },
      { kind: 'error', text: 'ERR no' },
      { kind: 'text', text: 'a\r\n' },
      { kind: 'text', text: '7' },
      { kind: 'text', text: '' },
      {
        kind: 'list',
        items: [
          { kind: 'text', text: 't' },
          { kind: 'list', items: [] },
        ],
      },
    ]);
  });

  it('gives the same, however the bytes are cut into pieces', () => {
    const replies = fc.array(fc.oneof(text, line, number, push, map), { maxLength: 8 });
    fc.assert(
      fc.property(replies, fc.array(fc.nat(400), { maxLength: 12 }), (expected, cuts) => {
        const bytes = Buffer.from(expected.map(([written]) => written).join(''));
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((one, other) => one - other),
          bytes.length,
        ];
        const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        expect(read(...pieces)).toEqual(expected.map(([, reply]) => reply));
      }),
      { seed: 1 },
    );
  });

  it('refuses what is no RESP', () => {
    expect(() => read('HTTP/1.1 400 Bad Request\r\n')).toThrow(
      'a server sends what is no RESP: "HTTP/1.1 400 Bad Request"',
    );
  });
});
