import { expect, it } from 'vitest';
import type { CommandExecuted, CommandSent } from '../../../history/event.ts';
import { CommandMatcher, type Execution } from './command-matcher.ts';

const NAMES = { node: 'n1', kind: 'release', key: 'lock:r', value: 'v' } as const;

function sent(command: number, timeUs: number, more: Partial<CommandSent> = {}): CommandSent {
  return { type: 'command-sent', timeUs, command, client: 'A', ...NAMES, ...more };
}

function ran(timeUs: number, more: Partial<Execution> = {}): Execution {
  return { timeUs, ...NAMES, reply: 'released', before: 'v', changed: true, ...more };
}

function matcher(): { matcher: CommandMatcher; matched: () => string[]; events: CommandExecuted[] } {
  const events: CommandExecuted[] = [];
  const matched = (): string[] => events.map(({ command, timeUs }) => `${command} at ${timeUs}`);
  return { matcher: new CommandMatcher((event) => events.push(event)), matched, events };
}

it('brings together what was sent and what was run, whichever is heard of first', () => {
  const { matcher: one, matched, events } = matcher();
  one.noteSent(sent(1, 10));
  one.noteExecuted(ran(12));
  one.noteExecuted(ran(22, { value: 'w' }));
  one.noteSent(sent(2, 20, { value: 'w', client: 'B' }));
  expect(matched()).toEqual(['1 at 12', '2 at 22']);
  expect(events[1]).toEqual({ type: 'command-executed', command: 2, client: 'B', ...ran(22, { value: 'w' }) });
});

it.each([{ node: 'n2' }, { kind: 'extend' as const }, { key: 'lock:s' }, { value: 'w' }])(
  'tells apart by %j',
  (other) => {
    const { matcher: one, matched } = matcher();
    one.noteSent(sent(1, 10));
    one.noteExecuted(ran(12, other));
    expect(matched()).toEqual([]);
    one.noteExecuted(ran(13));
    expect(matched()).toEqual(['1 at 13']);
  },
);

it('matches equal commands in order', () => {
  const { matcher: one, matched } = matcher();
  one.noteSent(sent(1, 10));
  one.noteSent(sent(2, 20));
  one.noteExecuted(ran(22));
  one.noteExecuted(ran(23));
  expect(matched()).toEqual(['1 at 22', '2 at 23']);
});

it('never lets a command run before it is sent', () => {
  const { matcher: one, matched } = matcher();
  one.noteExecuted(ran(5));
  one.noteSent(sent(1, 10));
  expect(matched()).toEqual([]);
  one.noteSent(sent(2, 4));
  expect(matched()).toEqual(['2 at 5']);
  one.noteExecuted(ran(9));
  expect(matched()).toEqual(['2 at 5', '1 at 10']);
});
