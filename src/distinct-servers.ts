/** What leads to a server. */
export interface WayToServer {
  /** What tells the server from all others; the same array until it leads to another. Empty where that is not known. */
  readonly serverIds: readonly string[];
  /** Whether it leads there now, or did when it was last connected. */
  readonly isServerKnown: boolean;
}

/** Two nodes that turned out to be one server. */
export interface DuplicateServer {
  /** The ids of the nodes; the first one has the vote. */
  readonly nodes: readonly [string, string];
  /** The run_id of the server, or the id of a server of the cluster. */
  readonly serverId: string;
}

interface Member {
  readonly node: string;
  readonly way: WayToServer;
  seenIds: readonly string[];
  /** Whose server it is, if it is not its own. */
  duplicate: DuplicateServer | null;
}

function keepsServer({ way, seenIds, duplicate }: Member): boolean {
  return duplicate === null && seenIds.some((id) => way.serverIds.includes(id));
}

/**
 * Sees to it that no server votes twice, by whatever names the nodes of one Redlock lead to it. A server belongs to the node that was first known to
 * lead to it, until that one leads elsewhere, even if its connection is lost meanwhile: its vote may have been counted already.
 */
export class DistinctServers {
  private readonly members: Member[] = [];

  /** How many nodes lead to servers that can be told apart. */
  get size(): number {
    return this.members.length;
  }

  /** Adds a node; the function that it returns says whether its server is another node's. */
  add(node: string, way: WayToServer): () => DuplicateServer | null {
    const member: Member = { node, way, seenIds: [], duplicate: null };
    this.members.push(member);
    return () => {
      this.refresh();
      return member.duplicate;
    };
  }

  /** Two nodes that lead to one server now; null if there are none. */
  find(): DuplicateServer | null {
    this.refresh();
    for (const { duplicate, way } of this.members) {
      if (duplicate === null || !way.isServerKnown) continue;
      if (this.members.some(({ node, way: other }) => node === duplicate.nodes[0] && other.isServerKnown)) {
        return duplicate;
      }
    }
    return null;
  }

  private refresh(): void {
    // Asked for every vote: nothing but comparisons while no connection leads elsewhere.
    for (const { way, seenIds } of this.members) {
      if (way.serverIds === seenIds) continue;
      this.assign();
      return;
    }
  }

  private assign(): void {
    const owners = new Map<string, Member>();
    // Those come first who may have voted for their server already.
    const [kept, others] = [this.members.filter(keepsServer), this.members.filter((member) => !keepsServer(member))];
    for (const member of [...kept, ...others]) {
      const { node, way } = member;
      member.seenIds = way.serverIds;
      member.duplicate = null;
      for (const serverId of way.serverIds) {
        const owner = owners.get(serverId);
        if (owner !== undefined) member.duplicate ??= { nodes: [owner.node, node], serverId };
      }
      if (member.duplicate === null) for (const serverId of way.serverIds) owners.set(serverId, member);
    }
  }
}
