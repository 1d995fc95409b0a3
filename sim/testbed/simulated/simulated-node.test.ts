import { describe, expect, it } from 'vitest';
import type { LockCommand, LockReply } from '../../../src/lock-node.ts';
import { ObservedLog } from '../../history/observed-log.ts';
import { Exchange, Link } from './link.ts';
import { ModelNode } from '../model-node/model-node.ts';
import type { PersistenceMode } from '../model-node/persistence.ts';
import { RandomStreams } from '../random-streams.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { SimulatedNode } from './simulated-node.ts';
import { Simulation } from './simulation.ts';

const CLIENT = 'A';
const TTL_MS = 10_000;

/** A node whose clock reads 0 when the run begins, one client that is 1 ms away, and what happens between them. */
class Harness {
  readonly simulation = new Simulation();
  readonly log = new ObservedLog();
  readonly node: SimulatedNode;
  readonly replies: string[] = [];
  private readonly link: Link<LockCommand, LockReply>;
  private commands = 0;

  constructor(persistence: PersistenceMode = 'aof-always') {
    const { simulation, log } = this;
    const model = new ModelNode(
      { persistence, maxmemoryPolicy: 'noeviction', replicaHorizonUs: 1e6 },
      0,
      (key, value, cause) => {
        log.record({ type: 'key-lost', timeUs: simulation.nowUs, node: 'n1', key, value, cause });
      },
    );
    const node = new SimulatedNode('n1', simulation, log, model, new SimulatedClock(simulation, 0, 1));
    this.node = node;
    const clientPlace = log.intern(CLIENT);
    this.link = new Link<LockCommand, LockReply>(
      simulation,
      log,
      new RandomStreams(1).stream('link'),
      { minMs: 1, maxMs: 1 },
      {
        clientName: CLIENT,
        serverName: 'n1',
        isUp: () => node.isUp,
        serve: (exchange) => {
          node.serve(exchange, clientPlace);
        },
        deliver: (exchange) => {
          exchange.settle(exchange.reply as LockReply);
        },
        failure: (reason, sent) => ({ kind: 'failed', error: new Error(reason), sent }),
      },
    );
    node.links.push(this.link);
  }

  send(kind: 'acquire' | 'extend' | 'release' | 'inspect', value = 'v', ttlMs = TTL_MS): void {
    const { log } = this;
    this.commands += 1;
    const command: LockCommand = {
      kind,
      key: 'k',
      value,
      ttlMs,
      timeoutMs: 1,
      fresh: true,
      tokenHint: null,
      guard: null,
    };
    const number = this.commands;
    const places = [log.intern('k'), log.intern(kind === 'inspect' ? '' : value)] as const;
    const settle = (reply: LockReply): void => {
      this.replies.push(
        `@${this.simulation.nowUs / 1000} ${number} ${reply.kind === 'failed' ? reply.error.message : reply.kind}`,
      );
    };
    this.link.send(new Exchange(this.link, number, kind, log.intern(kind), command, 100, ...places, settle));
  }

  at(timeMs: number, run: () => void): this {
    this.simulation.scheduleAt(timeMs * 1000, run, undefined);
    return this;
  }

  /** Runs everything; returns what happened at the node: type, milliseconds, and what matters of it. */
  async run(): Promise<string[]> {
    await this.simulation.run(
      100_000_000,
      () => false,
      () => undefined,
    );
    return [...this.log.since(0)].map((event) => {
      const head = `@${event.timeUs / 1000} ${event.type}`;
      switch (event.type) {
        case 'command-executed':
          return `${head} ${event.command} ${event.reply} before=${event.before ?? ''} changed=${event.changed}`;
        case 'message-lost':
          return `${head} ${event.direction} ${event.command} by ${event.fault ?? 'nobody'}`;
        case 'key-lost':
          return `${head} ${event.value} ${event.cause}`;
        case 'node-clock-changed':
          return `${head} by ${event.byMs} rate ${event.rate}`;
        case 'node-restarted':
          return `${head} with ${event.keys}`;
        default:
          return head;
      }
    });
  }
}

it('records what commands do to keys', async () => {
  const harness = new Harness();
  harness.send('acquire', 'a');
  harness.send('acquire', 'b');
  harness.send('inspect');
  harness.send('extend', 'a', TTL_MS + 5);
  harness.send('release', 'a');
  harness.at(5, () => harness.send('release', 'a'));
  expect(await harness.run()).toEqual([
    '@1 command-executed 1 granted before= changed=true',
    '@1 command-executed 2 held before=a changed=false',
    '@1 command-executed 3 inspected before=a changed=false',
    '@1 command-executed 4 extended before=a changed=true',
    '@1 command-executed 5 released before=a changed=true',
    '@6 command-executed 6 absent before= changed=false',
  ]);
});

describe('a paused server', () => {
  it('answers nothing, and then all that waited in its buffers, in order', async () => {
    const harness = new Harness();
    harness.node.pause(1);
    harness.send('acquire', 'a');
    harness.at(5, () => harness.send('acquire', 'b'));
    harness.at(50, () => harness.node.resume(1));
    expect(await harness.run()).toEqual([
      '@0 node-paused',
      '@50 node-resumed',
      '@50 command-executed 1 granted before= changed=true',
      '@50 command-executed 2 held before=a changed=false',
    ]);
    expect(harness.replies).toEqual(['@51 1 granted', '@51 2 held']);
  });

  it('goes on only when the last of the faults that pause it is healed', async () => {
    const harness = new Harness();
    harness.at(1, () => harness.node.pause(1));
    harness.at(2, () => harness.node.pause(2));
    harness.at(10, () => harness.node.resume(2));
    harness.at(10, () => harness.node.resume(2));
    harness.at(20, () => harness.send('acquire'));
    harness.at(30, () => harness.node.resume(1));
    expect(await harness.run()).toEqual([
      '@1 node-paused',
      '@30 node-resumed',
      '@30 command-executed 1 granted before= changed=true',
    ]);
  });

  it('has a clock that goes on: keys end while it is paused', async () => {
    const harness = new Harness();
    harness.send('acquire', 'a', 40);
    harness.at(10, () => harness.node.pause(1));
    harness.at(20, () => harness.send('acquire', 'b'));
    harness.at(50, () => harness.node.resume(1));
    expect((await harness.run()).slice(2)).toEqual([
      '@50 node-resumed',
      '@50 key-lost a expired',
      '@50 command-executed 2 granted before= changed=true',
    ]);
  });

  it('runs what is in its buffers although the connection broke, and the replies are lost', async () => {
    const harness = new Harness();
    harness.node.pause(1);
    harness.send('acquire', 'a');
    harness.at(10, () => {
      for (const link of harness.node.links) link.reset(7);
    });
    harness.at(50, () => harness.node.resume(1));
    expect((await harness.run()).slice(1)).toEqual([
      '@50 node-resumed',
      '@50 command-executed 1 granted before= changed=true',
      '@50 message-lost reply 1 by 7',
    ]);
    expect(harness.replies).toEqual(['@11 1 the connection was reset']);
  });

  it('loses what is in its buffers when it dies, and is not paused any more when it starts again', async () => {
    const harness = new Harness();
    harness.node.pause(1);
    harness.send('acquire', 'a');
    harness.at(10, () => harness.node.crash('kill', 2));
    harness.at(20, () => harness.node.restart(2));
    harness.at(30, () => harness.send('acquire', 'b'));
    harness.at(50, () => harness.node.resume(1));
    expect((await harness.run()).slice(1)).toEqual([
      '@10 node-crashed',
      '@10 message-lost request 1 by 2',
      '@20 node-restarted with 0',
      '@31 command-executed 2 granted before= changed=true',
    ]);
    expect(harness.replies).toEqual(['@11 1 the connection was reset', '@32 2 granted']);
  });

  it('loses once what was in its buffers of a connection that broke before it died', async () => {
    const harness = new Harness();
    harness.node.pause(1);
    harness.send('acquire', 'a');
    harness.at(5, () => {
      for (const link of harness.node.links) link.reset(7);
    });
    harness.at(10, () => harness.node.crash('kill', 2));
    expect(await harness.run()).toEqual(['@0 node-paused', '@10 node-crashed', '@10 message-lost request 1 by 2']);
    expect(harness.replies).toEqual(['@6 1 the connection was reset']);
  });
});

describe('a server that crashed', () => {
  it('breaks its connections, refuses new ones, and serves again after its restart', async () => {
    const harness = new Harness();
    harness.send('acquire', 'a');
    harness.at(1.5, () => harness.node.crash('kill', 1));
    harness.at(10, () => harness.send('acquire', 'b'));
    harness.at(20, () => harness.node.restart(1));
    harness.at(30, () => harness.send('acquire', 'c'));
    expect(await harness.run()).toEqual([
      '@1 command-executed 1 granted before= changed=true',
      '@1.5 node-crashed',
      '@1.5 message-lost reply 1 by 1',
      '@20 node-restarted with 1',
      '@31 command-executed 3 held before=a changed=false',
    ]);
    expect(harness.replies).toEqual([
      '@2.5 1 the connection was reset',
      '@12 2 the connection was refused',
      '@32 3 held',
    ]);
  });

  it('is started again by the fault that killed it alone, and once', async () => {
    const harness = new Harness('aof-everysec');
    harness.send('acquire', 'a');
    harness.at(10, () => harness.node.crash('kill', 1));
    harness.at(30, () => harness.node.restart(2));
    harness.at(40, () => harness.send('inspect'));
    harness.at(50, () => harness.node.restart(1));
    harness.at(60, () => harness.node.restart(1));
    expect((await harness.run()).slice(1)).toEqual(['@10 node-crashed', '@50 node-restarted with 1']);
    expect(harness.replies.at(-1)).toBe('@42 2 the connection was refused');
  });

  it('holds nothing until it is back', async () => {
    const harness = new Harness();
    harness.send('acquire', 'v');
    harness.at(5, () => {
      expect(harness.node.holds('k', 'v')).toBe(true);
      expect(harness.node.holds('k', 'w')).toBe(false);
      harness.node.crash('kill', 1);
      expect(harness.node.holds('k', 'v')).toBe(false);
    });
    harness.at(20, () => harness.node.restart(1));
    harness.at(30, () => harness.send('inspect'));
    expect((await harness.run()).slice(1)).toEqual([
      '@5 node-crashed',
      '@20 node-restarted with 1',
      '@31 command-executed 2 inspected before=v changed=false',
    ]);
  });

  it('has a clock that goes on and can jump: keys that are over by then are expired when it is back', async () => {
    const harness = new Harness();
    harness.send('acquire', 'v', 1000);
    harness.at(5, () => harness.node.crash('kill', 1));
    harness.at(10, () => harness.node.jumpClock(2000));
    harness.at(20, () => harness.node.restart(1));
    expect((await harness.run()).slice(1)).toEqual([
      '@5 node-crashed',
      '@10 node-clock-changed by 2000 rate 1',
      '@20 key-lost v expired',
      '@20 node-restarted with 0',
    ]);
  });
});

describe('the clock of a node', () => {
  it('drifts, and keys follow it', async () => {
    const harness = new Harness();
    harness.send('acquire', 'a', 100);
    harness.at(10, () => harness.node.drift(1, 3));
    harness.at(20, () => harness.node.endDrift(1));
    // Set when the clock read 1, the key is there until it reads 101: when it is 81, for the clock gained 20.
    harness.at(80, () => harness.send('acquire', 'b'));
    harness.at(81, () => harness.send('acquire', 'c'));
    expect(await harness.run()).toEqual([
      '@1 command-executed 1 granted before= changed=true',
      '@10 node-clock-changed by 0 rate 3',
      '@20 node-clock-changed by 0 rate 1',
      '@81 command-executed 2 held before=a changed=false',
      '@82 key-lost a expired',
      '@82 command-executed 3 granted before= changed=true',
    ]);
  });

  it('takes keys at once when it jumps over their end', async () => {
    const harness = new Harness();
    harness.send('acquire', 'a', 100);
    harness.at(50, () => harness.node.jumpClock(51));
    harness.at(60, () => harness.node.jumpClock(1));
    expect((await harness.run()).slice(1)).toEqual([
      '@50 node-clock-changed by 51 rate 1',
      '@60 node-clock-changed by 1 rate 1',
      '@60 key-lost a expired',
    ]);
  });
});

it('a promotion breaks the connections, and serves at once with what the replica has', async () => {
  const harness = new Harness();
  harness.send('acquire', 'a');
  harness.at(1.5, () => harness.node.promote(500, 4));
  harness.at(10, () => harness.send('inspect'));
  expect(await harness.run()).toEqual([
    '@1 command-executed 1 granted before= changed=true',
    '@1.5 node-crashed',
    '@1.5 message-lost reply 1 by 4',
    '@1.5 key-lost a promotion',
    '@1.5 node-restarted with 0',
    '@11 command-executed 2 inspected before= changed=false',
  ]);
});

it('memory is short until the last of the faults that take it is healed', async () => {
  const harness = new Harness();
  const draw = (): number => 0;
  harness.node.pressMemory(1, draw, 1);
  harness.node.pressMemory(1, draw, 2);
  harness.at(5, () => harness.node.relieveMemory(1));
  harness.at(5, () => harness.node.relieveMemory(1));
  harness.at(10, () => harness.send('acquire', 'a'));
  harness.at(20, () => harness.node.relieveMemory(2));
  harness.at(30, () => harness.send('acquire', 'b'));
  await harness.run();
  expect(harness.replies).toEqual([expect.stringContaining('OOM'), '@32 2 granted']);
});
