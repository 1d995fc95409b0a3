/** What one answer says about a vote: for it, against it, or nothing, as that of a node that could not be reached or may not vote. */
export type Vote = 'for' | 'against' | 'missing';

interface NodeVotes {
  /** Parts that it was for. */
  forParts: number;
  answered: number;
  isAgainst: boolean;
  isMissing: boolean;
  isDecided: boolean;
}

/** The vote of all nodes on a lock, one part for each of its resources, counted as a client should: a node is for it once all of its parts are. */
export class Tally {
  forCount = 0;
  /** Nodes that were against it or missing, for one part at least. */
  againstCount = 0;
  private readonly nodeCount: number;
  private readonly partCount: number;
  private readonly quorum: number;
  private readonly nodes = new Map<number, NodeVotes>();

  constructor(nodeCount: number, partCount: number, quorum: number) {
    this.nodeCount = nodeCount;
    this.partCount = partCount;
    this.quorum = quorum;
  }

  get isCarried(): boolean {
    return this.forCount >= this.quorum;
  }

  /** Whether no quorum is left for it. */
  get isLost(): boolean {
    return this.againstCount > this.nodeCount - this.quorum;
  }

  /** Whether it would be carried without the nodes for which this is true. */
  isCarriedWithout(isLeftOut: (node: number) => boolean): boolean {
    let count = 0;
    for (const [node, { forParts }] of this.nodes) if (forParts === this.partCount && !isLeftOut(node)) count += 1;
    return count >= this.quorum;
  }

  /** Counts the answer of a node, of which each part must be counted once. */
  count(node: number, vote: Vote): void {
    let votes = this.nodes.get(node);
    if (votes === undefined) {
      votes = { forParts: 0, answered: 0, isAgainst: false, isMissing: false, isDecided: false };
      this.nodes.set(node, votes);
    }
    votes.answered += 1;
    if (vote === 'for') votes.forParts += 1;
    else if (vote === 'against') votes.isAgainst = true;
    else votes.isMissing = true;
    if (votes.isDecided) return;
    if (vote !== 'for') {
      votes.isDecided = true;
      this.againstCount += 1;
    } else if (votes.forParts === this.partCount) {
      votes.isDecided = true;
      this.forCount += 1;
    }
  }

  /**
   * Whether so many nodes are missing that the others are no quorum: then the lock is out of reach, and not held by others. Nodes that kept silent are
   * missing where the vote was not lost before their time was up.
   */
  lacksQuorum(): boolean {
    const isTimedOut = !this.isLost;
    let missing = isTimedOut ? this.nodeCount - this.nodes.size : 0;
    for (const { answered, isAgainst, isMissing } of this.nodes.values()) {
      const isSilent = isTimedOut && answered < this.partCount;
      if (!isAgainst && (isMissing || isSilent)) missing += 1;
    }
    return this.nodeCount - missing < this.quorum;
  }
}
