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

/** A node among others whose server must not be the same. */
export interface DistinctNode {
  /** Told when the node asks for a vote, which may be counted until `untilMs` by the monotonic clock. */
  noteVote(untilMs: number): void;
  /** Which node its server belongs to, or belonged to when it gave a vote that may still be counted; null if the node may have its vote. */
  findDuplicate(nowMs: () => number): DuplicateServer | null;
}

interface Member {
  readonly node: string;
  readonly way: WayToServer;
  seenIds: readonly string[];
  /** Until when votes that it asked for may be counted. */
  votesUntilMs: number;
  /** Whose server it is, if it is not its own. */
  duplicate: DuplicateServer | null;
}

/** A server that its node has left, and the votes with it. */
interface FormerServer {
  readonly serverId: string;
  readonly node: string;
  readonly untilMs: number;
}

function keepsServer({ way, seenIds, duplicate }: Member): boolean {
  return duplicate === null && seenIds.some((id) => way.serverIds.includes(id));
}

/**
 * Sees to it that no server votes twice, by whatever names the nodes of one Redlock lead to it. A server belongs to the node that was first known to
 * lead to it, until that one leads elsewhere, even if its connection is lost meanwhile: its vote may have been counted already. For that reason too, nobody
 * else gets the vote of a server that was left until the rounds are over in which it may have voted.
 */
export class DistinctServers {
  private readonly members: Member[] = [];
  private former: FormerServer[] = [];

  /** How many nodes lead to servers that can be told apart. */
  get size(): number {
    return this.members.length;
  }

  add(node: string, way: WayToServer): DistinctNode {
    const member: Member = { node, way, seenIds: [], votesUntilMs: Number.NEGATIVE_INFINITY, duplicate: null };
    this.members.push(member);
    return {
      noteVote: (untilMs) => {
        if (untilMs > member.votesUntilMs) member.votesUntilMs = untilMs;
      },
      findDuplicate: (nowMs) => {
        this.refresh();
        if (member.duplicate !== null || this.former.length === 0) return member.duplicate;
        return this.findFormer(member, nowMs());
      },
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

  private findFormer({ node, way }: Member, nowMs: number): DuplicateServer | null {
    this.former = this.former.filter(({ untilMs }) => untilMs > nowMs);
    const other = this.former.find((each) => each.node !== node && way.serverIds.includes(each.serverId));
    return other === undefined ? null : { nodes: [other.node, node], serverId: other.serverId };
  }

  private assign(): void {
    for (const { node, way, seenIds, votesUntilMs: untilMs, duplicate } of this.members) {
      if (duplicate !== null || way.serverIds === seenIds) continue;
      const left = seenIds.filter((serverId) => !way.serverIds.includes(serverId));
      this.former.push(...left.map((serverId) => ({ serverId, node, untilMs })));
    }
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
