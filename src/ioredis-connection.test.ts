import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { FakeWorld } from '../test/fake-world.ts';
import { infoOf } from '../test/server-info.ts';
import { isIoredisClient, type IoredisClient } from './ioredis-client.ts';
import { IoredisNode } from './ioredis-node.ts';
import type { LockCommand, LockReply } from './lock-node.ts';

/** Stands in for a client in states that a real one passes through too fast to be caught in. */
class StubClient implements IoredisClient {
  status = 'connecting';
  isCluster = false;
  readonly options = {};
  /** The commands that were sent, by name and keys. */
  readonly sent: string[] = [];
  readonly answers: unknown[] = [];
  private readonly events = new EventEmitter();

  createBuiltinCommand(name: string): ReturnType<IoredisClient['createBuiltinCommand']> {
    const { sent, answers } = this;
    return {
      string: (...args) => {
        if (name === 'info') return Promise.resolve(infoOf());
        if (name === 'cluster') return Promise.resolve([]);
        const keys = name === 'set' ? args.slice(0, 1) : args.slice(2, 2 + Number(args[1]));
        sent.push(`${name} ${keys.join('+')}`);
        const answer = answers.shift();
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    };
  }

  connect(): Promise<void> {
    return Promise.reject(new Error('nobody there'));
  }

  disconnect(): void {
    this.become('end');
  }

  quit(): Promise<unknown> {
    return Promise.resolve('OK');
  }

  on(event: string, listener: (...details: never[]) => void): void {
    this.events.on(event, (detail: unknown) => listener(detail as never));
  }

  emit(event: string, detail?: Error): void {
    this.events.emit(event, detail);
  }

  become(status: string): void {
    this.status = status;
    this.emit(status);
  }
}

interface Stubbed {
  readonly world: FakeWorld;
  readonly client: StubClient;
  readonly replies: LockReply[];
  readonly ask: (kind: AskedKind, key: string, fresh?: boolean) => void;
}

type AskedKind = 'acquire' | 'extend' | 'release' | 'inspect';

function stubbed(): Stubbed {
  const world = new FakeWorld();
  const client = new StubClient();
  const node = new IoredisNode('the node', client, { owned: false, environment: world.environment });
  const replies: LockReply[] = [];
  const ask = (kind: AskedKind, key: string, fresh = true): void => {
    const common = { key, value: 'a', timeoutMs: 100, ttlMs: 1000 };
    const command: LockCommand =
      kind === 'acquire' ? { kind, ...common, fresh, tokenHint: null, guard: null } : { kind, ...common };
    node.execute(command, (reply) => replies.push(reply));
  };
  return { world, client, replies, ask };
}

/** Two releases: the script of the first was sent whole, and that of the second by its name, which `refuse` says that the server does not know. */
async function withUnknownScript(isCluster = false): Promise<Stubbed & { readonly refuse: () => void }> {
  const all = stubbed();
  const { world, client, ask } = all;
  client.isCluster = isCluster;
  let reject: (error: Error) => void = () => undefined;
  client.answers.push(0, new Promise((_resolve, refused) => (reject = refused)));
  client.become('ready');
  ask('release', 'a');
  await world.advance(0);
  ask('release', 'b');
  await world.advance(0);
  return { ...all, refuse: () => reject(new Error('NOSCRIPT No matching script')) };
}

describe('the connection of an ioredis client', () => {
  it('is one by its shape', () => {
    expect(isIoredisClient(new StubClient())).toBe(true);
    expect(isIoredisClient(Object.assign(new StubClient(), { status: undefined }))).toBe(false);
  });

  it('sends what waits before what comes between readiness and the event that tells of it', async () => {
    const { world, client, replies, ask } = stubbed();
    client.answers.push([1, null]);
    ask('acquire', 'first');
    await world.advance(0);
    expect(client.sent).toEqual([]);
    client.status = 'ready';
    ask('acquire', 'second');
    client.emit('ready');
    await world.advance(0);
    expect(client.sent).toEqual(['eval first+second']);
    expect(replies.map(({ kind }) => kind)).toEqual(['granted', 'held']);
  });

  it('does not send what is late when it becomes ready', async () => {
    const { world, client, replies, ask } = stubbed();
    client.answers.push('OK');
    ask('acquire', 'first');
    await world.advance(50);
    ask('acquire', 'second');
    await world.advance(50);
    client.become('ready');
    await world.advance(0);
    expect(client.sent).toEqual(['set second']);
    expect(replies.map((reply) => reply.kind === 'failed' && reply.sent)).toEqual([false, false]);
    expect(replies.map(({ kind }) => kind).sort()).toEqual(['failed', 'granted']);
  });

  it('keeps what must wait again when the socket is lost while it sends', async () => {
    const { world, client, ask } = stubbed();
    client.answers.push('OK', 'OK');
    const stream = { writable: true };
    Object.assign(client, { stream });
    client.status = 'ready';
    stream.writable = false;
    ask('acquire', 'first');
    client.emit('ready');
    expect(client.sent).toEqual([]);
    stream.writable = true;
    client.emit('ready');
    await world.advance(0);
    expect(client.sent).toEqual(['set first']);
  });

  it('sends a script whole the first time on each connection', async () => {
    const { world, client, ask } = stubbed();
    client.answers.push(0, 0, 0, 0);
    client.become('ready');
    for (const key of ['a', 'b', 'c', 'd']) {
      if (key === 'c') {
        client.become('close');
        client.become('ready');
      }
      ask('release', key);
      await world.advance(0);
    }
    expect(client.sent).toEqual(['eval a', 'evalsha b', 'eval c', 'evalsha d']);
  });

  it('does not send a script whole once the connection is gone, where ioredis would queue it', async () => {
    const { world, client, replies, refuse } = await withUnknownScript();
    client.status = 'close';
    refuse();
    await world.advance(0);
    expect(client.sent).toEqual(['eval a', 'evalsha b']);
    expect(replies).toMatchObject([{ kind: 'absent' }, { kind: 'failed', sent: false }]);
  });

  it.each([
    ['a cluster', true, 'close'],
    ['another connection', false, 'ready'],
  ])(
    'says that a script may have run where one is not known to the server of %s, which may have been sent a second copy',
    async (_what, isCluster, status) => {
      const { world, client, replies, refuse } = await withUnknownScript(isCluster);
      if (isCluster) client.status = status;
      else {
        client.become('close');
        client.become(status);
        await world.advance(100);
      }
      refuse();
      await world.advance(0);
      expect(replies).toMatchObject([{ kind: 'absent' }, { kind: 'failed', sent: true }]);
    },
  );

  it('asks again whose lock it is when a cluster client, which may have sent the SET twice, answers nil', async () => {
    const { world, client, replies, ask } = stubbed();
    client.isCluster = true;
    client.become('ready');
    client.answers.push(null, 1, null, 0);
    ask('acquire', 'a');
    await world.advance(0);
    ask('acquire', 'b');
    await world.advance(0);
    expect(client.sent).toEqual(['set a', 'eval a', 'set b', 'evalsha b']);
    expect(replies.map(({ kind }) => kind)).toEqual(['granted', 'held']);
  });

  it('cannot tell whose lock it is when the connection goes before it could ask', async () => {
    const { world, client, replies, ask } = stubbed();
    client.isCluster = true;
    client.become('ready');
    let answer: (answer: null) => void = () => undefined;
    client.answers.push(new Promise((resolve) => (answer = resolve)));
    ask('acquire', 'a');
    await world.advance(0);
    client.status = 'close';
    answer(null);
    await world.advance(0);
    expect(client.sent).toEqual(['set a']);
    expect(replies).toMatchObject([{ kind: 'failed', sent: true }]);
  });

  it('waits for a connection that was lost once, and no more once it could not be made again', async () => {
    const { world, client, replies, ask } = stubbed();
    client.become('ready');
    client.become('close');
    client.status = 'reconnecting';
    ask('acquire', 'a');
    await world.advance(0);
    expect(replies).toEqual([]);
    client.emit('error', new Error('refused'));
    client.become('close');
    await world.advance(0);
    expect(replies).toMatchObject([
      { kind: 'failed', sent: false, error: { message: 'the node: no connection: refused' } },
    ]);
    client.status = 'reconnecting';
    ask('acquire', 'b');
    await world.advance(0);
    expect(replies).toHaveLength(2);
    client.status = 'connecting';
    ask('acquire', 'c');
    client.answers.push('OK');
    client.become('ready');
    await world.advance(0);
    expect(replies.at(-1)).toEqual({ kind: 'granted', token: null });
  });

  it('swallows that a lazy connection could not be started, and tells it by its replies', async () => {
    const { world, client, replies, ask } = stubbed();
    client.status = 'wait';
    ask('acquire', 'a');
    await world.advance(0);
    client.become('end');
    await world.advance(0);
    expect(replies).toMatchObject([
      { kind: 'failed', sent: false, error: { message: 'the node: the connection is closed' } },
    ]);
  });

  it('forgets why it was down once it is ready', async () => {
    const { world, client, replies, ask } = stubbed();
    client.emit('error', new Error('refused'));
    client.become('ready');
    client.status = 'end';
    ask('acquire', 'a');
    await world.advance(0);
    expect(replies).toMatchObject([{ error: { message: 'the node: the connection is closed' } }]);
  });

  describe('to a server that is silent', () => {
    it('sends on while anything at all comes back', async () => {
      const { world, client, replies, ask } = stubbed();
      client.become('ready');
      let answerFirst: (answer: string) => void = () => undefined;
      client.answers.push(new Promise((resolve) => (answerFirst = resolve)), new Promise(() => undefined));
      ask('acquire', 'a');
      await world.advance(0);
      ask('acquire', 'b');
      await world.advance(1900);
      answerFirst('OK');
      await world.advance(2000);
      client.answers.push('OK');
      ask('acquire', 'c');
      await world.advance(1);
      expect(client.sent).toEqual(['set a', 'set b', 'set c']);
      expect(replies.map(({ kind }) => kind)).toEqual(['granted', 'granted']);
    });

    const never = new Promise(() => undefined);

    it('sends nothing more to be stored or read after two seconds and a turn of the event loop', async () => {
      const { world, client, replies, ask } = stubbed();
      client.become('ready');
      client.answers.push(never, never, never);
      ask('acquire', 'a');
      await world.advance(2001);
      ask('acquire', 'noticed');
      await world.advance(39);
      ask('acquire', 'b');
      await world.advance(1);
      ask('acquire', 'c');
      ask('inspect', 'd');
      await world.advance(0);
      expect(client.sent).toEqual(['set a', 'set noticed', 'set b']);
      expect(replies).toMatchObject([
        { kind: 'failed', sent: false },
        { kind: 'failed', sent: false },
      ]);
      expect(world.armedTimers).toBe(0);
    });

    it('begins anew with a new connection, whose answers those of the last one are not', async () => {
      const { world, client, replies, ask } = stubbed();
      client.become('ready');
      let answerFirst: (answer: string) => void = () => undefined;
      client.answers.push(new Promise((resolve) => (answerFirst = resolve)), never);
      ask('acquire', 'a');
      await world.advance(2001);
      ask('acquire', 'b');
      await world.advance(20);
      client.become('close');
      expect(world.armedTimers).toBe(0);
      client.become('ready');
      client.answers.push(never, never);
      ask('acquire', 'c');
      answerFirst('OK');
      await world.advance(2001);
      ask('acquire', 'd');
      await world.advance(40);
      ask('acquire', 'e');
      await world.advance(0);
      expect(client.sent).toEqual(['set a', 'set b', 'set c', 'set d']);
      expect(replies.map(({ kind }) => kind)).toEqual(['granted', 'failed']);
    });

    it('does not take the time in which it could not read for silence', async () => {
      const { world, client, replies, ask } = stubbed();
      client.become('ready');
      let answerFirst: (answer: string) => void = () => undefined;
      client.answers.push(new Promise((resolve) => (answerFirst = resolve)), never, never, 'OK');
      ask('acquire', 'a');
      await world.advance(0);
      // The process is busy: its clock goes on, its event loop does not.
      world.nowMs += 60_000;
      ask('acquire', 'b');
      await world.advance(0);
      world.nowMs += 60_000;
      ask('acquire', 'c');
      await world.advance(0);
      answerFirst('OK');
      await world.advance(100);
      ask('acquire', 'd');
      await world.advance(0);
      expect(client.sent).toEqual(['set a', 'set b', 'set c', 'set d']);
      expect(replies.map(({ kind }) => kind)).toEqual(['granted', 'granted']);
      expect(world.armedTimers).toBe(0);
    });

    it('believes the clock no more once an answer came', async () => {
      const { world, client, ask } = stubbed();
      client.become('ready');
      let answerFirst: (answer: string) => void = () => undefined;
      client.answers.push(new Promise((resolve) => (answerFirst = resolve)), never, never);
      ask('acquire', 'a');
      await world.advance(2001);
      ask('acquire', 'b');
      await world.advance(40);
      ask('acquire', 'refused');
      answerFirst('OK');
      await world.advance(0);
      // The process is busy.
      world.nowMs += 60_000;
      ask('acquire', 'c');
      await world.advance(0);
      expect(client.sent).toEqual(['set a', 'set b', 'set c']);
    });

    it('sends no release nor extension of what it did not send, but every one of what may have arrived', async () => {
      const { world, client, replies, ask } = stubbed();
      client.become('ready');
      let answerFirst: (answer: string) => void = () => undefined;
      client.answers.push(new Promise((resolve) => (answerFirst = resolve)), ...Array.from({ length: 5 }, () => never));
      ask('acquire', 'on its way');
      await world.advance(2001);
      ask('acquire', 'noticed');
      await world.advance(40);
      ask('acquire', 'withheld');
      ask('acquire', 'withheld too');
      ask('acquire', 'withheld and forgotten');
      ask('acquire', 'used before', false);
      ask('extend', 'withheld');
      ask('release', 'withheld');
      await world.advance(0);
      expect(client.sent.slice(2)).toEqual([]);
      expect(replies).toHaveLength(6);
      expect(replies.every((reply) => reply.kind === 'failed' && !reply.sent)).toBe(true);
      ask('release', 'on its way');
      ask('release', 'noticed');
      ask('release', 'used before');
      await world.advance(0);
      expect(client.sent.slice(2)).toEqual(['eval on its way+noticed+used before']);
      // It speaks again: to tell it too much does no harm.
      answerFirst('OK');
      await world.advance(0);
      ask('release', 'withheld too');
      await world.advance(0);
      expect(client.sent.slice(3)).toEqual(['eval withheld too']);
      // Nothing is remembered from one silence to the next.
      await world.advance(2001);
      ask('acquire', 'noticed again');
      await world.advance(40);
      ask('release', 'withheld and forgotten');
      await world.advance(0);
      expect(client.sent.slice(4)).toEqual(['set noticed again', 'evalsha withheld and forgotten']);
    });

    it('still sends releases and extensions, but no endless number of them', async () => {
      const { world, client, replies, ask } = stubbed();
      client.become('ready');
      client.answers.push(...Array.from({ length: 10_000 }, () => never));
      ask('acquire', 'a');
      await world.advance(2001);
      ask('acquire', 'b');
      await world.advance(40);
      ask('extend', 'a');
      ask('release', 'a');
      await world.advance(0);
      expect(client.sent.slice(2)).toEqual(['eval a+a']);
      for (let sent = 4; sent < 9999; sent += 1) ask('release', 'more');
      await world.advance(0);
      ask('release', 'one more');
      ask('release', 'too many');
      ask('extend', 'too many');
      await world.advance(0);
      const keys = client.sent.flatMap((command) => command.slice(command.indexOf(' ') + 1).split('+'));
      expect(keys).toHaveLength(10_000);
      expect(keys.at(-1)).toBe('one more');
      expect(replies).toMatchObject([
        { kind: 'failed', sent: false },
        { kind: 'failed', sent: false },
      ]);
    });
  });
});
