import type { Environment } from './environment.ts';
import type { LockNode, LockReply, ReleaseCommand } from './lock-node.ts';
import { Round } from './round.ts';

function confirmsAbsence(reply: LockReply): boolean {
  return reply.kind === 'released' || reply.kind === 'absent';
}

function ignore(): void {
  // The clean-up is best effort: what it leaves behind dies with its time to live.
}

/**
 * The stay of one value under one key, on all nodes: from the first command that may have stored it to its clean-up.
 * It removes the value from every node, those that never answered included, and once more
 * from a node whose grant turns up after that node had already reported the value absent.
 */
export class Tenure {
  readonly key: string;
  readonly value: string;
  private readonly nodes: readonly LockNode[];
  private readonly environment: Environment;
  private readonly timeoutMs: number;
  private clearing: Round | null = null;
  /** Nodes whose grant arrived after the clean-up was sent; made only when there is one. */
  private lateGrants: Set<number> | null = null;

  constructor(nodes: readonly LockNode[], environment: Environment, key: string, value: string, timeoutMs: number) {
    this.nodes = nodes;
    this.environment = environment;
    this.key = key;
    this.value = value;
    this.timeoutMs = timeoutMs;
  }

  /** Tells that a node holds the value, which may be news that comes after the clean-up. */
  noteGrant(index: number): void {
    if (this.clearing === null) return;
    const cleared = this.clearing.replies[index];
    if (cleared === undefined) (this.lateGrants ??= new Set()).add(index);
    else if (cleared.kind !== 'released') this.sweep(this.clearing, index);
  }

  /**
   * Deletes the value from all nodes; `settle` learns whether a quorum confirms in time that it is not there any more. Without it
   * nobody waits, and no timer is left behind.
   */
  clear(settle: ((confirmed: boolean, round: Round) => void) | null = null): void {
    const round = new Round(this.nodes, confirmsAbsence, settle ?? ignore, (index, reply) => {
      if (reply.kind !== 'released' && this.lateGrants?.delete(index) === true) this.sweep(round, index);
    });
    this.clearing = round;
    round.start(this.releaseCommand(), settle === null ? null : this.environment);
  }

  private sweep(round: Round, index: number): void {
    round.send(index, this.releaseCommand(), ignore);
  }

  private releaseCommand(): ReleaseCommand {
    return { kind: 'release', key: this.key, value: this.value, timeoutMs: this.timeoutMs };
  }
}
