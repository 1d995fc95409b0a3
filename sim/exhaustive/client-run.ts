import type { Cancel } from '../../src/environment.ts';
import type { LockError } from '../../src/errors.ts';
import type { LockCommand, LockNode, LockReply } from '../../src/lock-node.ts';
import { nodeName } from '../scenario/server-names.ts';
import { drainMicrotasks } from '../testbed/simulated/microtasks.ts';
import type { LinkHistory } from './links.ts';
import type { NodeCommand } from './node-rules.ts';
import type { HeldLock, LockMaker, Parts, WorldSettings } from './settings.ts';

/** What reaches a client: its caller's wish, a timer that is due, or the reply to the oldest command that a node has not answered. */
export type LocalInput =
  | { readonly kind: 'acquire' | 'extend' | 'release'; readonly tick: number; readonly hint: number }
  | { readonly kind: 'timer'; readonly timer: number; readonly tick: number; readonly hint: number }
  | { readonly kind: 'reply'; readonly node: number; readonly reply: LockReply; readonly tick: number };

/** What the caller of the library is doing. */
export type CallerPhase = 'idle' | 'acquiring' | 'holding' | 'releasing';

/** A command that the library has sent to one node. */
export interface Sent {
  readonly command: NodeCommand;
  readonly settle: (reply: LockReply) => void;
  /** How many deeds came before it. */
  readonly epoch: number;
  /** Null until it is told. */
  reply: LockReply | null;
  /** How many deeds came before the reply. */
  replyEpoch: number;
}

interface Timer {
  readonly dueTick: number;
  readonly run: () => void;
}

/**
 * One client with the real library in it, outside of any world: it is told what reaches it, and shows what it does. Everything
 * that it does follows from what it was told, so that whoever was told the same has done the same.
 * Ticks count from its first acquire.
 */
export class ClientRun {
  phase: CallerPhase = 'idle';
  acquires = 0;
  extensions = 0;
  isExtending = false;
  /** Attempts so far, which number the values it has drawn. */
  attempts = 0;
  /** The first tick at which its lock is not valid any more; -1 where it holds none. */
  untilTick = -1;
  /** Of its lock; -1 where it has none. */
  token = -1;
  /** The code of the error with which its last acquire or extension failed; empty if none did. */
  failure = '';
  /** How many of its acquires and extensions failed. */
  failures = 0;
  /** Whether the last input got it a lock, or a longer life for it. */
  isGranted = false;
  /** Whether the last input began an attempt. */
  hasBegun = false;
  /** Whether what came of the last input may depend on the time. */
  hasReadClock = false;
  readonly timers: Timer[] = [];
  readonly sent: readonly Sent[][];
  private readonly world: WorldSettings;
  private readonly redlock: LockMaker;
  private readonly keepsOrder: boolean;
  private lock: HeldLock | null = null;
  private tick = 0;
  private hint: number | null = null;
  /** What the client has done so far in answer to inputs; an input without an answer leaves no trace here. */
  private readonly deeds: string[] = [];
  private doing: string[] = [];
  /** What the library rejected with that is no error of its own. */
  private defect: Error | null = null;

  /** `keepsOrder`: whether its text tells every input in order. */
  constructor(world: WorldSettings, parts: Parts, keepsOrder: boolean) {
    this.world = world;
    this.keepsOrder = keepsOrder;
    this.sent = Array.from({ length: world.nodes }, () => []);
    this.redlock = parts.makeRedlock(
      this.sent.map((_, node) => this.nodeOf(node)),
      {
        clockDriftFactor: 0,
        nodeTimeout: world.timeoutTicks,
        retryCount: world.retries,
        retryDelay: 1,
        retryJitter: 0,
        fencing: world.fencing,
        environment: {
          clock: { now: () => this.now(), wall: () => this.readWallClock() },
          timers: { schedule: (delayMs, run) => this.schedule(delayMs, run) },
          random: { token: () => this.drawValue(), fraction: () => 0 },
        },
      },
    );
  }

  /** Tells the client something, and lets it run until it waits again. Must be called from a macrotask. */
  feed(input: LocalInput): void {
    this.tick = input.tick;
    this.hint = input.kind === 'reply' ? null : input.hint;
    this.isGranted = false;
    this.hasBegun = false;
    this.hasReadClock = false;
    this.doing = [];
    const epoch = this.deeds.length;
    if (input.kind === 'reply') this.tell(input.node, input.reply, epoch);
    else if (input.kind === 'timer') this.fire(input.timer);
    else this.call(input.kind);
    drainMicrotasks();
    if (this.defect !== null) throw this.defect;
    if (this.keepsOrder) this.deeds.push(`${inputText(input)}>${this.doing.join(',')}`);
    else if (this.doing.length > 0) this.deeds.push(`${this.isTimed(input) ? this.tick : ''}:${this.doing.join(',')}`);
  }

  /** Everything of the client that is not about one node. */
  globalText(): string {
    return `${this.deeds.join(' ')} | ${this.timers.map(({ dueTick }) => dueTick).join(' ')}`;
  }

  /** The commands that the client has sent to a node, and how many of them are answered. */
  historyWith(node: number): LinkHistory {
    const sent = this.sent[node] as Sent[];
    return {
      commands: sent.map(({ command }) => command),
      told: sent.filter(({ reply }) => reply !== null).length,
    };
  }

  /** What the client has sent to a node, and what it was told in answer; `nameOf` gives replies their names. */
  partText(node: number, nameOf: (reply: LockReply) => string = replyText): string {
    const texts = (this.sent[node] as Sent[]).map(
      ({ command: { kind, attempt, argument }, epoch, reply, replyEpoch }) => {
        const text = `${kind}${attempt}:${argument}@${epoch}`;
        return reply === null ? text : `${text}=${nameOf(reply)}@${replyEpoch}`;
      },
    );
    return texts.join(' ');
  }

  /** Whether it matters later when this was: the library counts validity from where an attempt or an extension begins. */
  private isTimed({ kind }: LocalInput): boolean {
    return kind === 'extend' || this.hasBegun;
  }

  private nodeOf(node: number): LockNode {
    return {
      id: nodeName(node),
      execute: (command, settle) => {
        const sent = packed(command);
        this.sent[node]?.push({ command: sent, settle, epoch: this.deeds.length, reply: null, replyEpoch: -1 });
        if (sent.kind === 'acquire') this.hasBegun = true;
        this.note('send');
      },
    };
  }

  /** Looks at nothing in the reply. */
  private tell(node: number, reply: LockReply, epoch: number): void {
    const command = this.sent[node]?.find((sent) => sent.reply === null);
    if (command === undefined) throw new Error(`${nodeName(node)} owes this client no answer`);
    command.reply = reply;
    command.replyEpoch = epoch;
    command.settle(reply);
  }

  private fire(place: number): void {
    const [timer] = this.timers.splice(place, 1);
    if (timer === undefined) throw new Error(`This client has no timer ${place}`);
    this.note('timer');
    timer.run();
  }

  private call(kind: 'acquire' | 'extend' | 'release'): void {
    if (kind === 'acquire') this.acquire();
    else if (kind === 'extend') this.extend();
    else this.release();
  }

  private acquire(): void {
    this.phase = 'acquiring';
    this.acquires += 1;
    this.extensions = 0;
    this.redlock.acquire('r', this.world.ttlTicks).then(
      (lock) => {
        this.lock = lock;
        this.phase = 'holding';
        this.token = lock.token ?? -1;
        this.hold(lock);
      },
      (error: unknown) => {
        this.phase = 'idle';
        this.noteFailure(error);
      },
    );
  }

  private extend(): void {
    this.isExtending = true;
    this.extensions += 1;
    const { lock } = this;
    if (lock === null) throw new Error('This client holds no lock');
    lock.extend(this.world.ttlTicks).then(
      () => {
        this.isExtending = false;
        this.hold(lock);
      },
      (error: unknown) => {
        this.isExtending = false;
        this.noteFailure(error);
      },
    );
  }

  private release(): void {
    this.phase = 'releasing';
    this.untilTick = -1;
    this.token = -1;
    const settled = (): void => {
      this.phase = 'idle';
      this.note('released');
    };
    this.lock?.release().then(settled, settled);
  }

  private hold(lock: HeldLock): void {
    this.isGranted = true;
    this.untilTick = this.tick + lock.validity;
    this.note(`until${this.untilTick}#${this.token}`);
  }

  private noteFailure(error: unknown): void {
    if (!isLockError(error)) {
      this.defect = error instanceof Error ? error : new Error(`The library rejected with ${String(error)}`);
      return;
    }
    this.failure = error.code;
    this.failures += 1;
    this.note(error.code);
  }

  private note(deed: string): void {
    this.doing.push(deed);
  }

  private drawValue(): string {
    this.attempts += 1;
    return String(this.attempts);
  }

  private now(): number {
    this.hasReadClock = true;
    return this.tick;
  }

  private readWallClock(): number {
    if (this.hint === null) throw new Error('The library reads the wall clock when it is told a reply');
    // Half a microsecond more, so that no rounding takes one away.
    return (this.hint + 0.5) / 1000;
  }

  private schedule(delayMs: number, run: () => void): Cancel {
    const timer: Timer = { dueTick: this.now() + delayMs, run };
    this.timers.push(timer);
    this.note('set');
    return () => {
      const place = this.timers.indexOf(timer);
      if (place === -1) return;
      this.timers.splice(place, 1);
      this.note('cancel');
    };
  }
}

/** What a reply says, in words. */
export function replyText(reply: LockReply): string {
  return `${reply.kind}${reply.kind === 'granted' ? (reply.token ?? '') : ''}`;
}

function inputText(input: LocalInput): string {
  const text = `${input.kind}@${input.tick}`;
  return input.kind === 'reply' ? `${text}n${input.node}=${replyText(input.reply)}` : text;
}

function packed(command: LockCommand): NodeCommand {
  switch (command.kind) {
    case 'acquire':
      return { kind: command.kind, attempt: Number(command.value), argument: command.tokenHint ?? -1 };
    case 'commit':
      return { kind: command.kind, attempt: Number(command.value), argument: command.token };
    case 'extend':
    case 'release':
      return { kind: command.kind, attempt: Number(command.value), argument: -1 };
    default:
      throw new Error(`The library sends ${command.kind}, which nodes of the small world do not know`);
  }
}

/** By its code, for a library that was bundled apart has error classes of its own. */
function isLockError(error: unknown): error is LockError {
  return error instanceof Error && 'code' in error;
}
