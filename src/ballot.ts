import { decide, type Decision } from './quorum.ts';

/**
 * The vote of all nodes on a lock, each of which answers in as many parts as the lock has resources: it is for the lock once all of its parts are,
 * and against it as soon as one is. The parts have places: those of the first node, those of the second, and so on.
 */
export class Ballot {
  private readonly nodeCount: number;
  private readonly partCount: number;
  /** How many parts of each node are awaited; 0 once it has voted. Null where each has one part alone. */
  private readonly awaitedParts: number[] | null;
  private votesFor = 0;
  private votesAgainst = 0;

  constructor(nodeCount: number, partCount: number) {
    this.nodeCount = nodeCount;
    this.partCount = partCount;
    this.awaitedParts = partCount === 1 ? null : new Array<number>(nodeCount).fill(partCount);
  }

  /** Counts the answer at one place, which must not be counted before. */
  count(place: number, supports: boolean): void {
    if (this.awaitedParts !== null && !this.completes(this.awaitedParts, place, supports)) return;
    if (supports) this.votesFor += 1;
    else this.votesAgainst += 1;
  }

  decide(): Decision {
    return decide(this.nodeCount, this.votesFor, this.votesAgainst);
  }

  /** Whether the answer is the one that decides how its node votes. */
  private completes(awaitedParts: number[], place: number, supports: boolean): boolean {
    const node = Math.floor(place / this.partCount);
    const awaited = awaitedParts[node] ?? 0;
    if (awaited === 0) return false;
    awaitedParts[node] = supports ? awaited - 1 : 0;
    return awaitedParts[node] === 0;
  }
}
