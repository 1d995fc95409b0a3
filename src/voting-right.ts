import type { DistinctNode, DistinctServers } from './distinct-servers.ts';
import type { Environment } from './environment.ts';
import type { IoredisConnection } from './ioredis-connection.ts';
import type { LockCommand } from './lock-node.ts';

/** Whether the command asks for a vote, of which every server has one. What inspects or lets go of a lock harms nobody when it is done twice. */
export function isVote({ kind }: LockCommand): boolean {
  return kind === 'acquire' || kind === 'commit' || kind === 'extend';
}

/** Whether the server that a node leads to may vote. */
export class VotingRight {
  private readonly node: string;
  private readonly link: IoredisConnection;
  private readonly servers: DistinctServers;
  private readonly environment: Environment;
  private readonly distinct: DistinctNode;
  private readonly nowMs: () => number;
  private hasWarned = false;

  constructor(node: string, link: IoredisConnection, servers: DistinctServers, environment: Environment) {
    this.node = node;
    this.link = link;
    this.servers = servers;
    this.environment = environment;
    this.distinct = servers.add(node, link);
    this.nowMs = () => environment.clock.now();
  }

  /** Why the server must not vote, or not once more; null if it may. One that is unfit is asked again, for that may have passed. */
  refusal(): Error | null {
    const { facts } = this.link;
    if (facts?.kind === 'unfit') {
      this.link.askServer();
      return facts.why;
    }
    if (facts?.kind === 'untold') this.warn(facts.why);
    const duplicate = this.distinct.findDuplicate(this.nowMs);
    if (duplicate === null) return null;
    const { nodes, serverId } = duplicate;
    return new Error(`this is the same server as ${nodes[0]} (${serverId}), which has a single vote`);
  }

  /** Told of a vote that is asked for now, with the time that the node has for it. */
  noteVote(deadlineMs: number, timeoutMs: number): void {
    // The round that asks for it is over by the deadline; one that commits its token, in which the vote counts too, as long after it at the most.
    this.distinct.noteVote(deadlineMs + timeoutMs);
  }

  private warn(why: Error): void {
    if (this.hasWarned || this.servers.size < 2) return;
    this.hasWarned = true;
    const right = this.link.client.isCluster ? 'cluster|slots' : 'info';
    const warning = new Error(
      `${this.node} does not tell which server it is (${why.message}): see to it that no other node is the same server, which would vote twice, or let this user run ${right}`,
      { cause: why },
    );
    warning.name = 'DistrilockWarning';
    this.environment.diagnostics?.warn(warning);
  }
}
