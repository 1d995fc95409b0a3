import { describe, expect, it, vi } from 'vitest';
import {
  AbortedError,
  ContendedError,
  ExpiredError,
  ExtensionRefusedError,
  UnreachableError,
} from '../../src/errors.ts';
import type { AcquiredLock } from '../../src/lock.ts';
import type { AcquireOptions } from '../../src/options.ts';
import type { Redlock } from '../../src/redlock.ts';
import type { HistoryEvent } from '../history/event.ts';
import type { DurationRange } from '../scenario/duration.ts';
import type { Script, Step } from '../scenario/schema.ts';
import type { WriteReply } from './protected-resource.ts';
import { probe, runScript } from './run-script.ts';
import type { WorkloadClient } from './workload-client.ts';

const TTL_MS = 1000;

/** A client whose library does what a test tells it to, and which notes everything that its script does. */
class Client implements WorkloadClient {
  readonly name = 'A';
  readonly events: HistoryEvent[] = [];
  readonly acquires: { resource: string | readonly string[]; ttlMs: number; options: AcquireOptions }[] = [];
  readonly writes: unknown[] = [];
  readonly sleptMs: number[] = [];
  readonly leases: string[] = [];
  readonly expected: number[] = [];
  /** What the calls of the library do; nothing special where there is none. */
  onAcquire: (signal: AbortSignal | undefined) => Promise<void> = () => Promise.resolve();
  onExtend: () => Promise<void> = () => Promise.resolve();
  onRelease: () => Promise<void> = () => Promise.resolve();
  /** Steps after which the workload is cut off. */
  stepsLeft = Number.POSITIVE_INFINITY;
  closed = 0;
  patience: { milliseconds: number; run: () => void; isCancelled: boolean } | null = null;
  readonly redlock: Redlock;
  private operations = 0;
  private writeCount = 0;
  private nowUs = 0;

  constructor(token?: number) {
    const acquire = async (
      resource: string | readonly string[],
      ttlMs: number,
      options: AcquireOptions = {},
    ): Promise<AcquiredLock> => {
      this.acquires.push({ resource, ttlMs, options });
      await this.onAcquire(options.signal);
      const lock = {
        resource: [resource].flat().join(', '),
        resources: [resource].flat(),
        value: `value ${this.acquires.length}`,
        token,
        attempts: 2,
        validity: ttlMs - 12,
        // It was held up a moment since then.
        remaining: () => ttlMs - 13,
        extend: async () => {
          await this.onExtend();
          return lock;
        },
        release: () => this.onRelease(),
      };
      return lock as unknown as AcquiredLock;
    };
    const close = (): Promise<void> => {
      this.closed += 1;
      return Promise.resolve();
    };
    this.redlock = { acquire, close } as unknown as Redlock;
  }

  timeUs(): number {
    this.nowUs += 1;
    return this.nowUs;
  }

  trueUsAfter(milliseconds: number): number {
    return this.nowUs + milliseconds * 1000;
  }

  record(event: HistoryEvent): void {
    this.events.push(event);
  }

  nextOperation(): number {
    this.operations += 1;
    return this.operations;
  }

  expectAttempts(operation: number): void {
    this.expected.push(operation);
  }

  noteLease(resource: string, value: string): void {
    this.leases.push(`${resource} ${value}`);
  }

  sleep(milliseconds: number): Promise<void> {
    this.sleptMs.push(milliseconds);
    return Promise.resolve();
  }

  schedule(milliseconds: number, run: () => void): () => void {
    const patience = { milliseconds, run, isCancelled: false };
    this.patience = patience;
    return () => {
      patience.isCancelled = true;
    };
  }

  drawMs({ minMs, maxMs }: DurationRange): number {
    return (minMs + maxMs) / 2;
  }

  write(...write: [number, number, string, number | null]): Promise<WriteReply> {
    this.writes.push(write);
    return Promise.resolve({ accepted: true });
  }

  nextWrite(): number {
    this.writeCount += 1;
    return this.writeCount;
  }

  isCutOff(): boolean {
    this.stepsLeft -= 1;
    return this.stepsLeft < 0;
  }

  /** What the script did, in short: `acquire-granted 1`, with the operation and, for others, the lease. */
  story(): string[] {
    return this.events.map((event) => {
      const { type, operation, lease, code } = event as HistoryEvent & {
        operation?: number;
        lease?: number;
        code?: string;
      };
      return [type, operation, lease === undefined ? undefined : `of ${lease}`, code]
        .filter((word) => word !== undefined)
        .join(' ');
    });
  }
}

function scriptOf(steps: readonly Step[], repeat = 1): Script {
  return { clients: 'all', repeat, steps: [...steps] };
}

const ACQUIRE: Step = { acquire: { resource: 'r' } };
const WORK: Step = { work: { minMs: 10, maxMs: 30 } };
const REST: Step = { rest: { minMs: 5, maxMs: 5 } };

describe('runScript', () => {
  it('does its steps in order, and records them', async () => {
    const client = new Client(77);
    await runScript(client, scriptOf([ACQUIRE, WORK, 'write', { extend: 500 }, 'release', REST]), TTL_MS);
    expect(client.events).toEqual([
      { type: 'acquire-invoked', timeUs: 1, client: 'A', operation: 1, resource: 'r', ttlMs: 1000, phase: 'workload' },
      {
        type: 'acquire-granted',
        timeUs: 2,
        client: 'A',
        operation: 1,
        resource: 'r',
        phase: 'workload',
        value: 'value 1',
        token: 77,
        attempts: 2,
        validityMs: 988,
        validUntilUs: 987_002,
      },
      { type: 'section-entered', timeUs: 3, client: 'A', lease: 1, resource: 'r' },
      { type: 'extend-invoked', timeUs: 4, client: 'A', operation: 2, lease: 1, ttlMs: 500 },
      {
        type: 'extend-granted',
        timeUs: 5,
        client: 'A',
        operation: 2,
        lease: 1,
        validityMs: 988,
        validUntilUs: 987_005,
      },
      // It leaves the section before it gives the lock back.
      { type: 'section-left', timeUs: 6, client: 'A', lease: 1, resource: 'r' },
      { type: 'release-invoked', timeUs: 7, client: 'A', operation: 3, lease: 1 },
      { type: 'release-done', timeUs: 8, client: 'A', operation: 3, lease: 1 },
    ]);
    expect(client.sleptMs).toEqual([20, 5]);
    expect(client.writes).toEqual([[1, 1, 'r', 77]]);
    expect(client.leases).toEqual(['r value 1']);
    expect(client.expected).toEqual([1]);
  });

  it('hands the options of a step to the library, and its own name where the resource names the client', async () => {
    const client = new Client();
    const acquire = {
      resource: 'of-{client}/{client}',
      ttl: 50,
      retryCount: 3,
      retryDelay: 7,
      retryJitter: 2,
      deadline: 9,
    };
    await runScript(client, scriptOf([{ acquire }]), TTL_MS);
    expect(client.acquires).toEqual([
      {
        resource: 'of-A/A',
        ttlMs: 50,
        options: { retryCount: 3, retryDelay: 7, retryJitter: 2, deadline: 9, signal: undefined },
      },
    ]);
    expect(client.events[1]).toMatchObject({ token: null });
  });

  it('locks several resources at once, sorted and each once, and writes to each of them', async () => {
    const client = new Client(77);
    const acquire = { resource: ['s', '{client}', 's'] };
    await runScript(client, scriptOf([{ acquire }, 'write', 'release']), TTL_MS);
    expect(client.acquires.map(({ resource }) => resource)).toEqual([['A', 's']]);
    expect(client.events[0]).toMatchObject({ type: 'acquire-invoked', resource: 'A, s', resources: ['A', 's'] });
    expect(client.events.slice(1)).toMatchObject([
      { type: 'acquire-granted', operation: 1, resource: 'A, s' },
      { type: 'section-entered', lease: 1, resource: 'A, s' },
      { type: 'section-left', lease: 1, resource: 'A, s' },
      { type: 'release-invoked', lease: 1 },
      { type: 'release-done', lease: 1 },
    ]);
    expect(client.writes).toEqual([
      [1, 1, 'A', 77],
      [2, 1, 's', 77],
    ]);
    expect(client.leases).toEqual(['A value 1', 's value 1']);
  });

  it('repeats its steps, each round with a lease of its own', async () => {
    const client = new Client();
    await runScript(client, scriptOf([ACQUIRE, 'write', 'release'], 2), TTL_MS);
    expect(client.writes).toEqual([
      [1, 1, 'r', null],
      [2, 3, 'r', null],
    ]);
  });

  it('goes on to the next round when it does not get the lock, and rests no longer in this one', async () => {
    const client = new Client();
    let calls = 0;
    client.onAcquire = () => {
      calls += 1;
      return calls === 1 ? Promise.reject(new ContendedError('held', 'r', [])) : Promise.resolve();
    };
    await runScript(client, scriptOf([ACQUIRE, WORK, 'release', REST], 2), TTL_MS);
    expect(client.story()).toEqual([
      'acquire-invoked 1',
      'acquire-failed 1 contended',
      'acquire-invoked 2',
      'acquire-granted 2',
      'section-entered of 2',
      'section-left of 2',
      'release-invoked 3 of 2',
      'release-done 3 of 2',
    ]);
    expect(client.sleptMs).toEqual([20, 5]);
    expect(client.leases).toHaveLength(1);
  });

  it('leaves its section in the end even if it never releases, and before it takes another lock', async () => {
    const client = new Client();
    await runScript(client, scriptOf([ACQUIRE, WORK]), TTL_MS);
    expect(client.story().at(-1)).toBe('section-left of 1');
    const both = new Client();
    await runScript(both, scriptOf([ACQUIRE, ACQUIRE]), TTL_MS);
    expect(both.story().filter((line) => line.startsWith('section'))).toEqual([
      'section-entered of 1',
      'section-left of 1',
      'section-entered of 2',
      'section-left of 2',
    ]);
  });

  it('goes on when an extension or a release fails, and says why', async () => {
    const client = new Client();
    client.onExtend = () => Promise.reject(new ExpiredError('over', 'r', []));
    client.onRelease = () => Promise.reject(new UnreachableError('away', 'r', []));
    await runScript(client, scriptOf([ACQUIRE, { extend: 5 }, 'release', REST]), TTL_MS);
    expect(client.story().slice(3)).toEqual([
      'extend-invoked 2 of 1',
      'extend-failed 2 of 1 expired',
      'section-left of 1',
      'release-invoked 3 of 1',
      'release-failed 3 of 1 unreachable',
    ]);
    expect(client.sleptMs).toEqual([5]);
  });

  it('does nothing for steps that need a lock which it does not hold', async () => {
    const client = new Client();
    await runScript(client, scriptOf(['release', 'write', { extend: 5 }, ACQUIRE, 'release', 'write']), TTL_MS);
    expect(client.story().filter((line) => !line.startsWith('section'))).toEqual([
      'acquire-invoked 1',
      'acquire-granted 1',
      'release-invoked 2 of 1',
      'release-done 2 of 1',
    ]);
    expect(client.writes).toEqual([]);
  });

  it('asks the library to prolong and to release what was given back', async () => {
    const client = new Client();
    client.onExtend = () => Promise.reject(new ExtensionRefusedError('released', 'r', []));
    await runScript(client, scriptOf([ACQUIRE, 'release', { extend: 5 }, 'release']), TTL_MS);
    expect(client.story().slice(3)).toEqual([
      'section-left of 1',
      'release-invoked 2 of 1',
      'release-done 2 of 1',
      'extend-invoked 3 of 1',
      'extend-failed 3 of 1 extension-refused',
      'release-invoked 4 of 1',
      'release-done 4 of 1',
    ]);
  });

  it('goes on beside an extension that it need not wait for, and ends no sooner than that', async () => {
    const client = new Client();
    let settle = (): void => undefined;
    client.onExtend = () => new Promise((resolve) => (settle = resolve));
    client.onRelease = () => {
      // The release is under way, and the extension still is, too.
      expect(client.story().at(-1)).toBe('release-invoked 3 of 1');
      return Promise.resolve();
    };
    let isOver = false;
    const run = runScript(client, scriptOf([ACQUIRE, { extend: 5, beside: true }, 'release']), TTL_MS).then(() => {
      isOver = true;
    });
    await vi.waitFor(() => {
      expect(client.story().at(-1)).toBe('release-done 3 of 1');
    });
    expect(isOver).toBe(false);
    settle();
    await run;
    expect(client.story().at(-1)).toBe('extend-granted 2 of 1');
    const broken = new Client();
    broken.onExtend = () => Promise.reject(new TypeError('a defect'));
    await expect(runScript(broken, scriptOf([ACQUIRE, { extend: 5, beside: true }]), TTL_MS)).rejects.toThrow('defect');
  });

  it('closes the Redlock so much later, and goes on', async () => {
    const client = new Client();
    await runScript(client, scriptOf([{ close: 30 }, ACQUIRE]), TTL_MS);
    expect(client.patience?.milliseconds).toBe(30);
    expect(client.closed).toBe(0);
    client.patience?.run();
    expect(client.closed).toBe(1);
  });

  it('gives up after its patience by a signal, with a reason, and not at all once it is settled', async () => {
    const client = new Client();
    client.onAcquire = (signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          reject(new AbortedError('given up', 'r', [], { cause: signal.reason }));
        });
      });
    const run = runScript(client, scriptOf([{ acquire: { resource: 'r', giveUpAfter: 40 } }]), TTL_MS);
    expect(client.patience).toMatchObject({ milliseconds: 40, isCancelled: false });
    client.patience?.run();
    await run;
    expect(client.story()).toEqual(['acquire-invoked 1', 'acquire-failed 1 aborted']);
    expect((client.acquires[0]?.options.signal?.reason as Error).message).toBe('gave up after 40 ms');
    expect(client.patience?.isCancelled).toBe(true);
    const granted = new Client();
    await runScript(granted, scriptOf([{ acquire: { resource: 'r', giveUpAfter: 40 } }]), TTL_MS);
    expect(granted.patience?.isCancelled).toBe(true);
  });

  it.each([
    ['before a round', 0, []],
    ['before the first step', 1, []],
    ['in the section', 2, ['acquire-invoked 1', 'acquire-granted 1', 'section-entered of 1', 'section-left of 1']],
  ] as const)('stops when it is cut off %s', async (_title, stepsLeft, story) => {
    const client = new Client();
    client.stepsLeft = stepsLeft;
    await runScript(client, scriptOf([ACQUIRE, WORK, 'release'], 3), TTL_MS);
    expect(client.story()).toEqual(story);
    expect(client.sleptMs).toEqual([]);
  });

  it.each(['onAcquire', 'onExtend', 'onRelease'] as const)(
    'rejects with an error that is none of the library’s (%s)',
    async (call) => {
      const client = new Client();
      const defect = new TypeError('a defect');
      client[call] = () => Promise.reject(defect);
      await expect(runScript(client, scriptOf([ACQUIRE, { extend: 5 }, 'release']), TTL_MS)).rejects.toBe(defect);
    },
  );
});

describe('probe', () => {
  it('takes the lock and gives it back, without any work', async () => {
    const client = new Client();
    expect(await probe(client, 'r', TTL_MS, { retryCount: 3, deadline: 90 })).toBe(true);
    expect(client.story()).toEqual([
      'acquire-invoked 1',
      'acquire-granted 1',
      'release-invoked 2 of 1',
      'release-done 2 of 1',
    ]);
    expect(client.events.slice(0, 2)).toMatchObject([{ phase: 'probe' }, { phase: 'probe' }]);
    expect(client.acquires[0]).toMatchObject({
      resource: 'r',
      ttlMs: TTL_MS,
      options: { retryCount: 3, deadline: 90 },
    });
  });

  it('tells that it did not get it', async () => {
    const client = new Client();
    client.onAcquire = () => Promise.reject(new ContendedError('held', 'r', []));
    expect(await probe(client, 'r', TTL_MS)).toBe(false);
    expect(client.story()).toEqual(['acquire-invoked 1', 'acquire-failed 1 contended']);
  });
});
