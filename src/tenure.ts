import type { Environment } from './environment.ts';
import type { LockNode, LockReply, ReleaseCommand } from './lock-node.ts';
import type { LockTarget } from './lock-target.ts';
import { type Motion, Round } from './round.ts';

function ignore(): void {
  // The clean-up is best effort: what it leaves behind dies with its time to live.
}

/**
 * The stay of one value under the keys of one lock, on all nodes: from the first command that may have stored it to its clean-up.
 * It removes the value from every node, those that never answered included, and once more
 * from a place whose grant turns up after its answer to the clean-up, or after which that did not find the value: a client that sends commands again by
 * itself may have stored it anew. Places are those of a {@link Round}.
 */
export class Tenure implements Motion {
  readonly target: LockTarget;
  readonly value: string;
  private readonly nodes: readonly LockNode[];
  private readonly environment: Environment;
  private readonly timeoutMs: number;
  private clearing: Round | null = null;
  /** Places whose grant arrived after the clean-up was sent; made only when there is one. */
  private lateGrants: Set<number> | null = null;

  constructor(
    nodes: readonly LockNode[],
    environment: Environment,
    target: LockTarget,
    value: string,
    timeoutMs: number,
  ) {
    this.nodes = nodes;
    this.environment = environment;
    this.target = target;
    this.value = value;
    this.timeoutMs = timeoutMs;
  }

  /** Tells that a node holds the value under a key, which may be news that comes after the clean-up. */
  noteGrant(place: number): void {
    if (this.clearing === null) return;
    const cleared = this.clearing.replies[place];
    if (cleared === undefined) (this.lateGrants ??= new Set()).add(place);
    else this.sweep(this.clearing, place);
  }

  /**
   * Deletes the value from all nodes; `settle` learns whether a quorum confirms in time that it is not there any more, under none of the
   * keys. Without it nobody waits, and no timer is left behind.
   */
  clear(settle: ((confirmed: boolean, round: Round) => void) | null = null): void {
    const round = new Round(this.nodes, this.target, this, settle ?? ignore);
    this.clearing = round;
    round.start(this.timeoutMs, settle === null ? null : this.environment);
  }

  /** What its clean-up sends. */
  commandFor(key: string): ReleaseCommand {
    return { kind: 'release', key, value: this.value, timeoutMs: this.timeoutMs };
  }

  /** Whether a node confirms that the value is not there any more. */
  supports({ kind }: LockReply): boolean {
    return kind === 'released' || kind === 'absent';
  }

  observe(place: number, reply: LockReply, round: Round): void {
    if (reply.kind !== 'released' && this.lateGrants?.delete(place) === true) this.sweep(round, place);
  }

  private sweep(round: Round, place: number): void {
    round.send(place, this.commandFor(round.keyAt(place)), ignore);
  }
}
