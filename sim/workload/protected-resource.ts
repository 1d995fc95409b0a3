/** A write that a client sends to the protected resource. */
export interface WriteRequest {
  /** Numbers it in the history. */
  readonly write: number;
  /** The acquire that its sender's lease came from. */
  readonly lease: number;
  readonly resource: string;
  readonly token: number | null;
}

export type WriteDecision = { readonly accepted: true } | { readonly accepted: false; readonly largestToken: number };

export type WriteReply =
  | WriteDecision
  /** The connection to the resource broke: whether the write was taken is unknown. */
  | { readonly accepted: 'unknown' };

/** What the lock protects. With fencing it refuses a token smaller than the largest that it has seen; without, it takes every write. */
export class ProtectedResource {
  private readonly largestTokens = new Map<string, number>();

  write({ resource, token }: WriteRequest): WriteDecision {
    if (token === null) return { accepted: true };
    const largestToken = this.largestTokens.get(resource);
    if (largestToken !== undefined && token < largestToken) return { accepted: false, largestToken };
    this.largestTokens.set(resource, token);
    return { accepted: true };
  }
}
