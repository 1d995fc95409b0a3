import type { Environment } from '../../src/environment.ts';
import type { LockCommand, LockNode, LockReply } from '../../src/lock-node.ts';
import { type HeldLock, type Parts, REAL_PARTS } from './settings.ts';

type CommandKind = 'acquire' | 'extend' | 'release';
type ReplyKind = 'granted' | 'held' | 'extended' | 'absent' | 'released' | 'failed';

const DIGITS: Readonly<Record<ReplyKind, number>> = {
  granted: 1,
  held: 2,
  extended: 3,
  absent: 4,
  released: 5,
  failed: 6,
};

/** What a probe does where; what is left out does nothing, but that acquires and extensions end at once. */
export interface ProbeActs {
  readonly onAcquire: () => void;
  /** `count`: which extension it is, from 1. */
  readonly onExtend?: (count: number) => void;
  /** After the reply was noted. */
  readonly onReply?: (node: number, kind: ReplyKind) => void;
}

/** What each acquire of a probe does, with a memory of its own. */
export type ProbePlan = (session: ProbeSession) => ProbeActs;

/**
 * Parts in which clients run no lock at all, but what a test wants to see the outcome of. That the reductions lose nothing of it is not for the real
 * library to show: it takes care not to depend on most of what they might lose. A probe tells what it has heard by how long its lock is said
 * to be valid, which stands in the stories of grants.
 */
export function probe(plan: ProbePlan): Parts {
  return {
    ...REAL_PARTS,
    makeRedlock: (nodes, { environment }) => ({ acquire: () => new ProbeSession(nodes, environment, plan).acquire() }),
  };
}

/** How a story of grants tells of a probe that has heard these replies, from each node in order; those of several nodes ascend. */
export function hears(...replies: readonly ReplyKind[]): string {
  return `for ${validityOf(replies.map((kind) => DIGITS[kind]).join(''))}`;
}

function validityOf(digits: string): number {
  return Number(`9${digits}`);
}

/** One acquire of a probe, with what comes after it. */
export class ProbeSession {
  readonly nodeCount: number;
  private readonly nodes: readonly LockNode[];
  private readonly environment: Environment;
  private readonly acts: ProbeActs;
  private readonly value: string;
  /** By node, digits of what was heard. */
  private readonly heard: string[];
  private notes = '';
  private outstanding = 0;
  private extensions = 0;
  private isWaiting = false;
  private settle: (() => void) | null = null;
  private reject: ((error: Error) => void) | null = null;

  constructor(nodes: readonly LockNode[], environment: Environment, plan: ProbePlan) {
    this.nodes = nodes;
    this.nodeCount = nodes.length;
    this.environment = environment;
    this.value = environment.random.token();
    this.heard = nodes.map(() => '');
    this.acts = plan(this);
  }

  async acquire(): Promise<HeldLock> {
    await this.perform(() => this.acts.onAcquire());
    const validity = (): number => validityOf([...this.heard].sort().join('') + this.notes);
    return {
      get validity() {
        return validity();
      },
      token: undefined,
      extend: () => {
        this.extensions += 1;
        return this.perform(() => this.acts.onExtend?.(this.extensions));
      },
      release: () => Promise.resolve(),
    };
  }

  /** Sends commands to every node, each in this order. */
  sendAll(...kinds: readonly CommandKind[]): void {
    for (let node = 0; node < this.nodeCount; node += 1) for (const kind of kinds) this.send(kind, node);
  }

  send(kind: CommandKind, node: number): void {
    const common = { key: 'r', value: this.value, timeoutMs: 1 };
    const settle = (reply: LockReply): void => this.hear(node, reply.kind as ReplyKind);
    this.outstanding += 1;
    if (kind === 'acquire') {
      const command = {
        ...common,
        kind,
        ttlMs: 1,
        fresh: true,
        tokenHint: null,
        guard: null,
      } as const satisfies LockCommand;
      this.nodes[node]?.execute(command, settle);
    } else if (kind === 'extend') this.nodes[node]?.execute({ ...common, kind, ttlMs: 1 }, settle);
    else this.nodes[node]?.execute({ ...common, kind }, settle);
  }

  /** Has the acquire or the extension that goes on end only when everything is answered. */
  wait(): void {
    this.isWaiting = true;
  }

  /** Fails what waits. */
  giveUp(): void {
    this.isWaiting = false;
    this.reject?.(Object.assign(new Error('The probe gives up'), { code: 'gave-up' }));
  }

  /** Runs something a tick from now. */
  later(run: () => void): void {
    this.environment.timers.schedule(1, run);
  }

  /** Tells a digit after those that stand for replies. */
  note(digit: number): void {
    this.notes += String(digit);
  }

  /** Does an act, and resolves when it has ended. */
  private perform(act: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.settle = resolve;
      this.reject = reject;
      act();
      if (!this.isWaiting || this.outstanding === 0) this.end();
    });
  }

  private end(): void {
    this.isWaiting = false;
    this.settle?.();
  }

  private hear(node: number, kind: ReplyKind): void {
    this.outstanding -= 1;
    this.heard[node] = `${this.heard[node] ?? ''}${DIGITS[kind]}`;
    this.acts.onReply?.(node, kind);
    if (this.isWaiting && this.outstanding === 0) this.end();
  }
}
