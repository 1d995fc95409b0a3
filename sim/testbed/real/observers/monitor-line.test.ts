import { describe, expect, it } from 'vitest';
import { parseMonitorLine } from './monitor-line.ts';

describe('parseMonitorLine', () => {
  it('reads what a client sent', () => {
    expect(parseMonitorLine('1700000000.123456 [0 127.0.0.1:4711] "SET" "key" "value" "PX" "100"')).toEqual({
      wallMs: 1_700_000_000_123.456,
      isScripted: false,
      args: ['SET', 'key', 'value', 'PX', '100'],
    });
  });

  it.each([
    ['a unix socket', '[0 unix:/tmp/redis sock]', false],
    ['an IPv6 address', '[0 [::1]:4711]', false],
    ['another database', '[15 127.0.0.1:4711]', false],
    ['a script', '[0 lua]', true],
  ])('tells whether %s sent it', (_what, source, isScripted) => {
    expect(parseMonitorLine(`1.5 ${source} "PING"`)).toEqual({ wallMs: 1500, isScripted, args: ['PING'] });
  });

  it.each([
    [String.raw`"a\" \"b"`, 'a" "b'],
    [String.raw`"\\"`, '\\'],
    [String.raw`"\\\" \\"`, '\\" \\'],
    [String.raw`"\\n"`, '\\n'],
    [String.raw`"\n\r\t\a\b"`, '\n\r\t\u0007\b'],
    [String.raw`"\x00\x1B\x7f"`, '\0\u001b\u007f'],
    [String.raw`"\xc3\xa9\xf0\x9f\x94\x92"`, 'é🔒'],
    [String.raw`"\\xc3"`, '\\xc3'],
    ['""', ''],
  ])('undoes the escapes of %s', (written, argument) => {
    expect(parseMonitorLine(`1.0 [0 a:1] "GET" ${written} "x"`).args).toEqual(['GET', argument, 'x']);
  });

  it.each([
    'OK',
    '',
    '1.0 [0 a:1]',
    '1.0 [0 a:1] GET',
    '1.0 [0 a:1] "GET" "key',
    '1.0 [0 a:1] "GET" key "x"',
    '1.0 [0 a:1] "GET""x"',
    'x [0 a:1] "GET"',
  ])('refuses %j', (text) => {
    expect(() => parseMonitorLine(text)).toThrow('a redis-server reports by MONITOR what is no command');
  });
});
