import { describe, expect, it } from 'vitest';
import type { LockReply } from '../../../src/lock-node.ts';
import { type EvictionPolicy, ModelNode, type ModelNodeSettings } from './model-node.ts';
import type { CrashKind } from './persistence.ts';

const SECOND_US = 1_000_000;

/** A model node whose clock shows the milliseconds of true time, and which notes what it loses. */
class Node {
  readonly lost: string[] = [];
  readonly model: ModelNode;
  timeMs = 0;

  constructor(settings: Partial<ModelNodeSettings> = {}) {
    const all: ModelNodeSettings = {
      persistence: 'none',
      maxmemoryPolicy: 'noeviction',
      replicaHorizonUs: 0,
      ...settings,
    };
    this.model = new ModelNode(all, this.timeMs, (key, value, cause) => {
      this.lost.push(`${key}=${value} ${cause}`);
    });
  }

  at(timeMs: number): this {
    this.timeMs = timeMs;
    return this;
  }

  acquire(key: string, value = 'v', ttlMs = 10_000, tokenHint: number | null = null): LockReply {
    return this.model.execute(
      { kind: 'acquire', key, value, ttlMs, timeoutMs: 1, fresh: false, tokenHint, guard: null },
      this.timeMs,
      this.timeMs * 1000,
    );
  }

  /** Acquires each key, with a token. */
  fill(...keys: readonly string[]): this {
    for (const key of keys) this.acquire(key, 'v', 10_000, 100);
    return this;
  }

  run(kind: 'extend' | 'release' | 'inspect', key: string, value = 'v', ttlMs = 10_000): LockReply {
    return this.model.execute({ kind, key, value, ttlMs, timeoutMs: 1 }, this.timeMs, this.timeMs * 1000);
  }

  commit(key: string, token: number, value = 'v'): LockReply {
    return this.model.execute({ kind: 'commit', key, value, token, timeoutMs: 1 }, this.timeMs, this.timeMs * 1000);
  }

  /** The next token that the key's counter gives to somebody without a hint. */
  nextToken(key: string): number | null {
    const reply = this.acquire(key, 'v', 10_000, 0);
    return reply.kind === 'granted' ? reply.token : null;
  }

  holds(...keys: readonly string[]): boolean[] {
    return keys.map((key) => this.model.valueOf(key, this.timeMs) !== null);
  }

  press(keyCount = Number.POSITIVE_INFINITY, draw = () => 0): this {
    this.model.pressure(keyCount, this.timeMs, this.timeMs * 1000, draw);
    return this;
  }

  crash(how: CrashKind = 'kill'): this {
    this.model.crash(how, this.timeMs, this.timeMs * 1000);
    return this;
  }

  restart(): number {
    return this.model.restart(this.timeMs);
  }

  promote(sinceMs: number): number {
    return this.model.promote(sinceMs * 1000, this.timeMs);
  }

  flush(): this {
    this.model.flush(this.timeMs, this.timeMs * 1000);
    return this;
  }
}

describe('what a command tells of the key', () => {
  it('its value before, and whether the command changed it', () => {
    const node = new Node();
    const story: unknown[] = [];
    const note = (): void => {
      story.push([node.model.before, node.model.changed]);
    };
    node.acquire('k', 'a');
    note();
    node.acquire('k', 'b');
    note();
    node.run('extend', 'k', 'a', 20_000);
    note();
    node.run('extend', 'k', 'a', 5);
    note();
    node.run('release', 'k', 'b');
    note();
    node.run('inspect', 'k');
    note();
    node.run('release', 'k', 'a');
    note();
    node.run('release', 'k', 'a');
    note();
    expect(story).toEqual([
      [null, true],
      ['a', false],
      ['a', true],
      ['a', false],
      ['a', false],
      ['a', false],
      ['a', true],
      [null, false],
    ]);
  });
});

describe('expiry', () => {
  it('is noticed when a command looks at the key, and told once', () => {
    const node = new Node();
    node.acquire('k', 'a', 100);
    node.at(101);
    expect(node.lost).toEqual([]);
    expect(node.model.valueOf('k', 101)).toBeNull();
    node.acquire('k', 'b', 100);
    node.model.expire(101);
    expect(node.lost).toEqual(['k=a expired']);
  });

  it('takes all keys that are over when told to look', () => {
    const node = new Node();
    node.acquire('k', 'a', 100);
    node.acquire('l', 'b', 101);
    node.model.expire(101);
    expect(node.lost).toEqual(['k=a expired']);
  });
});

describe('memory pressure', () => {
  it('without a policy that evicts refuses what needs memory, until it is over', () => {
    const node = new Node().fill('k').press();
    const oom = {
      kind: 'failed',
      sent: true,
      error: expect.objectContaining({ message: expect.stringContaining('OOM') as string }) as Error,
    };
    expect(node.acquire('free')).toMatchObject(oom);
    // A plain SET is refused before it is looked at; the scripts of tokens look first.
    expect(node.acquire('k', 'other')).toMatchObject(oom);
    expect(node.acquire('k', 'other', 1, 5)).toEqual({ kind: 'held' });
    expect(node.acquire('free', 'v', 1, 5)).toMatchObject(oom);
    expect(node.commit('k', 200)).toMatchObject(oom);
    expect(node.commit('k', 200, 'other')).toEqual({ kind: 'refused' });
    expect(node.run('extend', 'k', 'v', 20_000)).toEqual({ kind: 'extended' });
    expect(node.run('inspect', 'k')).toMatchObject({ value: 'v', remainingMs: 20_000 });
    expect(node.run('release', 'k')).toEqual({ kind: 'released' });
    node.model.relieve();
    expect(node.acquire('free')).toMatchObject({ kind: 'granted' });
    expect(node.lost).toEqual([]);
  });

  it.each(['allkeys-lru', 'volatile-lru'] as const)(
    '%s takes the keys that were not used for longest',
    (maxmemoryPolicy) => {
      const node = new Node({ maxmemoryPolicy }).fill('a', 'b', 'c', 'd');
      node.run('inspect', 'a');
      node.run('extend', 'b', 'v', 20_000);
      node.acquire('c', 'somebody else');
      node.press(2);
      expect(node.lost).toEqual(['d=v evicted', 'a=v evicted']);
    },
  );

  it('volatile-ttl takes the keys that would be over first', () => {
    const node = new Node({ maxmemoryPolicy: 'volatile-ttl' });
    node.acquire('a', 'v', 300);
    node.acquire('b', 'v', 100);
    node.acquire('c', 'v', 200);
    node.press(2);
    expect(node.lost).toEqual(['b=v evicted', 'c=v evicted']);
  });

  it.each(['allkeys-random', 'volatile-random'] as const)('%s takes keys by chance, each once', (maxmemoryPolicy) => {
    const draws = [0.99, 0, 0.5];
    const node = new Node({ maxmemoryPolicy }).fill('a', 'b', 'c', 'd');
    node.press(3, () => draws.shift() ?? Number.NaN);
    expect(node.lost).toEqual(['d=v evicted', 'a=v evicted', 'c=v evicted']);
    expect(node.holds('a', 'b', 'c', 'd')).toEqual([false, true, false, false]);
  });

  it.each([
    'allkeys-lru',
    'allkeys-random',
    'volatile-lru',
    'volatile-random',
    'volatile-ttl',
  ] as const satisfies readonly EvictionPolicy[])(
    '%s takes all keys when nothing limits it, and no key that was over before',
    (maxmemoryPolicy) => {
      const node = new Node({ maxmemoryPolicy }).fill('a', 'b');
      node.acquire('over', 'v', 10);
      node.at(11).press();
      expect(node.lost.sort()).toEqual(['a=v evicted', 'b=v evicted', 'over=v expired']);
      expect(node.acquire('a')).toMatchObject({ kind: 'granted' });
    },
  );

  it('takes a counter with its key, and all of them with all keys, under allkeys policies only', () => {
    for (const [maxmemoryPolicy, keyCount, tokens] of [
      ['volatile-lru', Number.POSITIVE_INFINITY, [101, 101, 101]],
      ['allkeys-lru', 1, [1, 101, 101]],
      ['allkeys-lru', 2, [1, 1, 101]],
      ['allkeys-lru', Number.POSITIVE_INFINITY, [1, 1, 1]],
    ] as const) {
      const node = new Node({ maxmemoryPolicy }).fill('free', 'a', 'b');
      node.run('release', 'free');
      node.press(keyCount);
      expect([node.nextToken('a'), node.nextToken('b'), node.nextToken('free')]).toEqual(tokens);
    }
  });

  it('does nothing to a server that is down, but finds one that starts again while memory is short', () => {
    const evicting = new Node({ maxmemoryPolicy: 'allkeys-lru', persistence: 'aof-always' }).fill('k').crash().press();
    expect(evicting.restart()).toBe(1);
    const refusing = new Node({ persistence: 'aof-always' }).crash().press();
    refusing.restart();
    expect(refusing.acquire('k')).toMatchObject({ kind: 'failed' });
  });

  it('evicts for good: a disk that is behind may bring the keys back', () => {
    const node = new Node({ maxmemoryPolicy: 'allkeys-lru', persistence: 'aof-everysec' }).fill('k').at(1500).press(1);
    expect(node.holds('k')).toEqual([false]);
    expect(node.crash('power-loss').restart()).toBe(1);
    expect(node.nextToken('k')).toBe(101);
  });
});

describe('FLUSHALL', () => {
  it('takes all keys, and the counters even of locks that are free', () => {
    const node = new Node().fill('k', 'free');
    node.run('release', 'free');
    node.acquire('over', 'v', 10);
    node.at(11).flush();
    expect(node.lost).toEqual(['over=v expired', 'k=v flush']);
    expect([node.nextToken('k'), node.nextToken('free')]).toEqual([1, 1]);
  });

  it('is a write: the power may take it back, and a replica may lack it', () => {
    const logged = new Node({ persistence: 'aof-everysec' }).fill('k', 'free');
    logged.run('release', 'free');
    expect(logged.at(1500).flush().crash('power-loss').restart()).toBe(1);
    expect([logged.nextToken('k'), logged.nextToken('free')]).toEqual([101, 101]);
    const replicated = new Node({ replicaHorizonUs: SECOND_US }).fill('k').at(1500).flush().at(1600);
    expect(replicated.promote(1000)).toBe(1);
  });

  it('empties the snapshot at once', () => {
    const node = new Node({ persistence: 'rdb' }).fill('k').crash('terminate');
    expect(node.restart()).toBe(1);
    expect(node.flush().crash().restart()).toBe(0);
  });
});

describe('a crash', () => {
  it('loses what is not on disk, which is told when the server is back', () => {
    const node = new Node().fill('k').crash();
    expect(node.lost).toEqual([]);
    expect(node.restart()).toBe(0);
    expect(node.lost).toEqual(['k=v restart']);
    expect(node.nextToken('k')).toBe(1);
  });

  it('keeps what is on disk, with its expiry: the keys that end meanwhile are expired, not lost', () => {
    const node = new Node({ persistence: 'aof-always' });
    node.acquire('short', 'v', 100);
    node.acquire('long', 'v', 1000);
    expect(node.crash().at(101).restart()).toBe(1);
    expect(node.lost).toEqual(['short=v expired']);
    expect(node.holds('short', 'long')).toEqual([false, true]);
  });

  it('may bring back an older value of a key', () => {
    const node = new Node({ persistence: 'aof-everysec' });
    node.acquire('k', 'old', 100_000);
    node.at(1500);
    node.run('release', 'k', 'old');
    node.acquire('k', 'new', 100_000);
    expect(node.at(1600).crash('power-loss').restart()).toBe(1);
    expect(node.lost).toEqual(['k=new restart']);
    expect(node.model.valueOf('k', 1600)).toBe('old');
  });

  it('has the clock of the moment of its restart, wherever that jumped meanwhile', () => {
    const node = new Node({ persistence: 'aof-always' });
    node.acquire('k', 'v', 100);
    node.crash();
    // Set back while it was down: the key lives all the longer.
    expect(node.at(-5000).restart()).toBe(1);
    expect(node.run('inspect', 'k')).toEqual({ kind: 'inspected', value: 'v', remainingMs: 5100 });
  });
});

describe('the promotion of a replica', () => {
  it('that got nothing loses everything', () => {
    const node = new Node({ persistence: 'aof-always' }).fill('k');
    expect(node.promote(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(node.lost).toEqual(['k=v promotion']);
    expect(node.nextToken('k')).toBe(1);
  });

  it('that lags loses the writes of that stretch, deletions included', () => {
    const node = new Node({ replicaHorizonUs: SECOND_US });
    node.acquire('k', 'a', 60_000, 5);
    node.acquire('gone', 'c', 60_000, 7);
    node.at(500);
    node.run('release', 'k', 'a');
    node.acquire('l', 'b', 60_000, 9);
    node.run('release', 'gone', 'c');
    expect(node.at(900).promote(400)).toBe(2);
    expect(node.lost).toEqual(['l=b promotion']);
    expect(node.model.valueOf('k', 900)).toBe('a');
    expect(node.nextToken('l')).toBe(1);
  });

  it('that lacks nothing loses nothing', () => {
    const node = new Node({ replicaHorizonUs: SECOND_US }).fill('k');
    expect(node.at(1).promote(0)).toBe(1);
    expect(node.lost).toEqual([]);
  });

  it('goes on with the disk and the past of the replica, not those of the old primary', () => {
    const snapshot = new Node({ persistence: 'rdb' }).fill('k').crash('terminate');
    snapshot.restart();
    expect(snapshot.promote(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(snapshot.crash().restart()).toBe(0);

    const logged = new Node({ persistence: 'aof-everysec', replicaHorizonUs: SECOND_US });
    logged.at(500).acquire('k', 'never replicated', 60_000);
    logged.at(1200).run('release', 'k', 'never replicated');
    expect(logged.at(1300).promote(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(logged.at(1400).crash('power-loss').restart()).toBe(0);

    const twice = new Node({ replicaHorizonUs: SECOND_US });
    twice.at(500).acquire('k', 'never replicated', 60_000);
    twice.at(600).run('release', 'k', 'never replicated');
    twice.at(700).promote(Number.NEGATIVE_INFINITY);
    expect(twice.at(800).promote(550)).toBe(0);
  });
});
