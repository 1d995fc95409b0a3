import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { interruption, killedText } from './interruption.ts';

function world(): { source: EventEmitter; signal: AbortSignal; killed: string[]; pass: (ms: number) => void } {
  const source = new EventEmitter();
  const killed: string[] = [];
  let nowMs = 1000;
  const signal = interruption({ source, nowMs: () => nowMs, kill: (name) => killed.push(name) });
  return { source, signal, killed, pass: (ms) => (nowMs += ms) };
}

it('aborts at the first signal, and names it', () => {
  const { source, signal, killed } = world();
  expect(signal.aborted).toBe(false);
  source.emit('SIGTERM');
  expect(signal).toMatchObject({ aborted: true, reason: 'SIGTERM' });
  expect(killed).toEqual([]);
});

it('kills at the second', () => {
  const { source, signal, killed, pass } = world();
  source.emit('SIGINT');
  pass(300);
  source.emit('SIGINT');
  expect(killed).toEqual(['SIGINT']);
  expect(signal.reason).toBe('SIGINT');
});

it('takes what follows at once for the echo of the same key press', () => {
  const { source, killed, pass } = world();
  source.emit('SIGINT');
  pass(5);
  source.emit('SIGINT');
  expect(killed).toEqual([]);
});

it('says in one line where what happened is kept, if it is', () => {
  expect(killedText('SIGINT', null)).toBe('Interrupted by another SIGINT, and ended at once');
  expect(killedText('SIGTERM', 'it is in x')).toBe('Interrupted by another SIGTERM, and ended at once: it is in x');
});
