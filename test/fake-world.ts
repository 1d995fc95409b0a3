import type { Cancel, Environment } from '../src/environment.ts';
import {
  ABSENT,
  ADMITTED,
  COMMITTED,
  EXTENDED,
  GRANTED_WITHOUT_TOKEN,
  HELD,
  type LockCommand,
  type LockNode,
  type LockReply,
  REFUSED,
  RELEASED,
} from '../src/lock-node.ts';
import { Redlock } from '../src/redlock.ts';
import type { RedlockOptions } from '../src/options.ts';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A world whose time passes only when a test says so. */
export class FakeWorld {
  nowMs = 1000;
  /** The wall clock, in milliseconds: apart from `nowMs`, and never moved by itself. */
  wallMs = 5_000_000;
  /** What `fraction` draws. */
  fraction = 0;
  readonly environment: Environment = {
    clock: { now: () => this.nowMs, wall: () => this.wallMs },
    timers: { schedule: (delayMs, run) => this.schedule(delayMs, run) },
    random: { token: () => `value-${(this.tokens += 1)}`, fraction: () => this.fraction },
  };
  private tokens = 0;
  private order = 0;
  private readonly timers = new Set<Timer>();

  /** How many timers of the environment are armed. */
  get armedTimers(): number {
    return this.timers.size;
  }

  schedule(delayMs: number, run: () => void): Cancel {
    this.order += 1;
    const timer = { dueMs: this.nowMs + delayMs, order: this.order, run };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Lets so much time pass: timers run in their order, and promises settle in between. */
  async advance(milliseconds: number): Promise<void> {
    const untilMs = this.nowMs + milliseconds;
    await settlePromises();
    for (let next = this.nextTimer(untilMs); next !== undefined; next = this.nextTimer(untilMs)) {
      this.timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      next.run();
      await settlePromises();
    }
    // What ran may have taken time of its own.
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  private nextTimer(untilMs: number): Timer | undefined {
    const due = [...this.timers].filter(({ dueMs }) => dueMs <= untilMs);
    return due.sort((one, other) => one.dueMs - other.dueMs || one.order - other.order)[0];
  }

  nodes(count: number): FakeNode[] {
    return Array.from({ length: count }, (_, index) => new FakeNode(`node-${index + 1}`, this));
  }

  redlock(nodes: readonly LockNode[], options: RedlockOptions = {}): Redlock {
    return new Redlock(nodes, { environment: this.environment, retryCount: 0, ...options });
  }
}

/** Lets every reaction to a promise run that is due, and those that follow from them. */
async function settlePromises(): Promise<void> {
  for (let round = 0; round < 10; round += 1) await Promise.resolve();
}

/** What becomes of a command on its way: `lost` before the node ran it, `unanswered` after, or a reply in place of the node's. */
export type Fate = 'lost' | 'unanswered' | LockReply;

/** A node in a fake world: stores keys and counters, answers after its latency, unless `fate` has other plans. */
export class FakeNode implements LockNode {
  readonly id: string;
  /** Every command that was sent to it, in order. */
  readonly commands: LockCommand[] = [];
  readonly keys = new Map<string, { value: string; expiresAtMs: number }>();
  readonly counters = new Map<string, number>();
  /** Milliseconds until a command runs, and until its answer arrives. */
  latencyMs = 1;
  answerLatencyMs = 0;
  fate: (command: LockCommand) => Fate | undefined = () => undefined;
  private readonly world: FakeWorld;

  constructor(id: string, world: FakeWorld) {
    this.id = id;
    this.world = world;
  }

  kinds(): string[] {
    return this.commands.map(({ kind }) => kind);
  }

  /** The value under a key now. */
  holder(key = 'lock:r'): string | null {
    const entry = this.keys.get(key);
    return entry === undefined || entry.expiresAtMs < this.world.nowMs ? null : entry.value;
  }

  /** Milliseconds that a key has to live. */
  remainingMs(key = 'lock:r'): number {
    return (this.keys.get(key)?.expiresAtMs ?? 0) - this.world.nowMs;
  }

  /** Puts somebody else's key there. */
  occupy(value = 'somebody', ttlMs = 1_000_000, key = 'lock:r'): void {
    this.keys.set(key, { value, expiresAtMs: this.world.nowMs + ttlMs });
  }

  execute(command: LockCommand, settle: (reply: LockReply) => void): void {
    this.commands.push(command);
    const fate = this.fate(command);
    if (fate === 'lost') return;
    this.world.schedule(this.latencyMs, () => {
      const reply = typeof fate === 'object' ? fate : this.run(command);
      if (fate === 'unanswered') return;
      if (this.answerLatencyMs === 0) settle(reply);
      else this.world.schedule(this.answerLatencyMs, () => settle(reply));
    });
  }

  private run(command: LockCommand): LockReply {
    const { nowMs } = this.world;
    const { key } = command;
    if (command.kind === 'admit') return ADMITTED;
    const holder = this.holder(key);
    if (command.kind === 'inspect') {
      return { kind: 'inspected', value: holder, remainingMs: holder === null ? null : this.remainingMs(key) };
    }
    const isOurs = holder === command.value;
    const counter = this.counters.get(key) ?? 0;
    switch (command.kind) {
      case 'acquire':
        if (holder !== null && !isOurs) return HELD;
        this.keys.set(key, { value: command.value, expiresAtMs: nowMs + command.ttlMs });
        if (command.tokenHint === null) return GRANTED_WITHOUT_TOKEN;
        this.counters.set(key, Math.max(counter + 1, command.tokenHint));
        return { kind: 'granted', token: this.counters.get(key) ?? 0 };
      case 'commit':
        if (!isOurs || counter > command.token) return REFUSED;
        this.counters.set(key, command.token);
        return COMMITTED;
      case 'extend':
        if (!isOurs) return ABSENT;
        this.keys.set(key, {
          value: command.value,
          expiresAtMs: Math.max(nowMs + command.ttlMs, nowMs + this.remainingMs(key)),
        });
        return EXTENDED;
      case 'release':
        if (!isOurs) return ABSENT;
        this.keys.delete(key);
        return RELEASED;
    }
  }
}

/** A node that failed, for `fate`. */
export function failed(message = 'broken', sent = true): LockReply {
  return { kind: 'failed', error: new Error(message), sent };
}

/** What has become of a promise so far. */
export interface Watched<T> {
  state: 'pending' | 'resolved' | 'rejected';
  value?: T;
  error?: unknown;
}

/** Watches a promise, which thereby is handled. */
export function watch<T>(promise: Promise<T>): Watched<T> {
  const watched: Watched<T> = { state: 'pending' };
  promise.then(
    (value) => Object.assign(watched, { state: 'resolved', value }),
    (error: unknown) => Object.assign(watched, { state: 'rejected', error }),
  );
  return watched;
}
