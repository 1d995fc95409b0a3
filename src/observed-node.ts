import type { Cancel, Environment } from './environment.ts';
import type { EventHub } from './event-hub.ts';
import type { LockCommand, LockNode, LockReply } from './lock-node.ts';

/**
 * A node whose answers, failures and silences are told to whoever listens. It keeps an eye on each command until its time is over, even where the
 * vote was decided long before: a quorum that works hides a node that does not.
 */
export class ObservedNode implements LockNode {
  readonly id: string;
  readonly cluster?: NonNullable<LockNode['cluster']>;
  readonly connection?: NonNullable<LockNode['connection']>;
  private readonly node: LockNode;
  private readonly hub: EventHub;
  private readonly environment: Environment;

  constructor(node: LockNode, hub: EventHub, environment: Environment) {
    this.id = node.id;
    if (node.cluster !== undefined) this.cluster = node.cluster;
    if (node.connection !== undefined) this.connection = node.connection;
    this.node = node;
    this.hub = hub;
    this.environment = environment;
  }

  execute(command: LockCommand, settle: (reply: LockReply) => void): void {
    if (this.hub.observesNodes()) this.watch(command, settle);
    else this.node.execute(command, settle);
  }

  private watch(command: LockCommand, settle: (reply: LockReply) => void): void {
    const { id: node, environment } = this;
    const { kind, timeoutMs } = command;
    const startedMs = environment.clock.now();
    const latencyMs = (): number => environment.clock.now() - startedMs;
    let answered = false;
    const cancelTimer: Cancel = environment.timers.schedule(timeoutMs, () => {
      const error = new Error(`${node}: no answer to ${kind} within ${timeoutMs} ms`);
      this.hub.emit('node-error', { node, command: kind, outcome: 'timeout', error, latencyMs: latencyMs() });
    });
    const tellFailure = (error: Error): void => {
      this.hub.emit('node-error', { node, command: kind, outcome: 'failed', error, latencyMs: latencyMs() });
    };
    try {
      this.node.execute(command, (reply) => {
        settle(reply);
        // A node that settles twice has answered once.
        if (answered) return;
        answered = true;
        cancelTimer();
        this.hub.emit('node-reply', { node, command: kind, outcome: reply.kind, latencyMs: latencyMs() });
        if (reply.kind === 'failed') tellFailure(reply.error);
      });
    } catch (error) {
      cancelTimer();
      tellFailure(error instanceof Error ? error : new Error(`${node} threw ${String(error)}`));
      throw error;
    }
  }
}
