import { expect, it } from 'vitest';
import type { LockCommand, LockNode, LockReply } from '../../../../src/lock-node.ts';
import { nodeError, partError } from '../../../../src/reply-error.ts';
import type { HistoryEvent } from '../../../history/event.ts';
import { AttemptRecorder, RecordingNode } from './recording-node.ts';

/** A process that records, with nodes that answer when they are told to. */
function world(): {
  events: HistoryEvent[];
  told: () => string[];
  answer: (reply: LockReply) => void;
  attempts: AttemptRecorder;
  node: (id: string) => RecordingNode;
  open: () => number;
} {
  const events: HistoryEvent[] = [];
  const waiting: ((reply: LockReply) => void)[] = [];
  let numbers = 0;
  let stamps = 0;
  let open = 0;
  const recorder = {
    client: 'A',
    stampUs: () => (stamps += 1),
    nextCommand: () => {
      open += 1;
      return (numbers += 1);
    },
    record: (event: HistoryEvent) => void events.push(event),
    noteAnswer: () => void (open -= 1),
  };
  const attempts = new AttemptRecorder(recorder);
  const inner = (id: string): LockNode => ({ id, execute: (_command, settle) => void waiting.push(settle) });
  return {
    events,
    told: () => events.map((event) => `${event.timeUs} ${event.type}${'command' in event ? ` ${event.command}` : ''}`),
    answer: (reply) => waiting.shift()?.(reply),
    attempts,
    node: (id) => new RecordingNode(id, inner(id), attempts, recorder),
    open: () => open,
  };
}

function acquire(value: string): LockCommand {
  return {
    kind: 'acquire',
    key: 'lock:r',
    value,
    ttlMs: 100,
    timeoutMs: 10,
    fresh: true,
    tokenHint: null,
    guard: null,
  };
}

it('records a command before it is sent, and its reply before anybody acts on it', () => {
  const { node, answer, events, told, open } = world();
  const replies: string[] = [];
  node('n1').execute(acquire('v'), ({ kind }) => replies.push(`${kind} after ${events.length}`));
  expect(told()).toEqual(['1 attempt-started', '2 command-sent 1']);
  expect(open()).toBe(1);
  answer({ kind: 'granted', token: null });
  expect(replies).toEqual(['granted after 3']);
  expect(open()).toBe(0);
  expect(events[1]).toEqual({
    type: 'command-sent',
    timeUs: 2,
    command: 1,
    client: 'A',
    node: 'n1',
    kind: 'acquire',
    key: 'lock:r',
    value: 'v',
  });
  expect(events[2]).toEqual({
    type: 'reply-received',
    timeUs: 3,
    command: 1,
    client: 'A',
    node: 'n1',
    reply: 'granted',
  });
});

it('sees one attempt in what is sent to all nodes, and the next one in the next', () => {
  const { node, attempts, events } = world();
  const nodes = [node('n1'), node('n2')];
  const round = (command: LockCommand): void => {
    for (const one of nodes) one.execute(command, () => undefined);
  };
  attempts.operation = 4;
  round(acquire('v1'));
  round({ kind: 'release', key: 'lock:r', value: 'v1', timeoutMs: 10 });
  round(acquire('v2'));
  attempts.operation = 8;
  round(acquire('v3'));
  const started = events.filter((event) => event.type === 'attempt-started');
  expect(started.map(({ operation, value }) => `${operation} ${value}`)).toEqual(['4 v1', '4 v2', '8 v3']);
});

it('has no value to tell of where a command carries none', () => {
  const { node, events } = world();
  node('n1').execute({ kind: 'inspect', key: 'lock:r', timeoutMs: 10 }, () => undefined);
  expect(events).toMatchObject([{ type: 'command-sent', kind: 'inspect', value: '' }]);
});

/** As ioredis makes them. */
function replyError(words: string): Error {
  const error = new Error(words);
  error.name = 'ReplyError';
  return error;
}

it.each([
  [
    'that the server answered with an error, in its own words',
    { error: nodeError('127.0.0.1:1', replyError('NOREPLICAS Not enough')), sent: true },
    'NOREPLICAS Not enough',
  ],
  [
    'that a part of what travelled together was answered with an error',
    { error: nodeError('127.0.0.1:1', partError(['OOM command not allowed']) as Error), sent: true },
    'OOM command not allowed',
  ],
  ['no error of a server that could not be asked', { error: new Error('down'), sent: true }, undefined],
  [
    'that a command was not sent, and no error then, whatever had come before',
    { error: new Error('down', { cause: replyError('NOAUTH') }), sent: false },
    undefined,
  ],
] as const)('records %s', async (_what, { error, sent }, recorded) => {
  const { node, answer, events } = world();
  node('n1').execute(acquire('v'), () => undefined);
  answer({ kind: 'failed', error, sent });
  await new Promise(setImmediate);
  expect(events.at(-1)).toEqual({
    type: 'reply-received',
    timeUs: 3,
    command: 1,
    client: 'A',
    node: 'n1',
    reply: 'failed',
    ...(recorded !== undefined && { error: recorded }),
    ...(!sent && { sent: false }),
  });
});

it('lets a failure wait for a turn of the event loop, so that a script which tries again at once holds up nothing', async () => {
  const { node, answer, told } = world();
  const replies: string[] = [];
  node('n1').execute(acquire('v'), ({ kind }) => replies.push(kind));
  answer({ kind: 'failed', error: new Error('down'), sent: false });
  await Promise.resolve();
  expect(replies).toEqual([]);
  await new Promise(setImmediate);
  expect(replies).toEqual(['failed']);
  expect(told().at(-1)).toBe('3 reply-received 1');
});
