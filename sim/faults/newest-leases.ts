/** A lock that a client was granted. */
export interface KnownLease {
  readonly client: string;
  readonly key: string;
  readonly value: string;
}

/** The newest lease of each client, by which faults find their targets. */
export class NewestLeases {
  private readonly byClient = new Map<string, KnownLease>();
  private last: KnownLease | null = null;

  note(lease: KnownLease): void {
    this.byClient.set(lease.client, lease);
    this.last = lease;
  }

  /** Of this client, or of all; null if there was none. */
  newest(client?: string): KnownLease | null {
    return client === undefined ? this.last : (this.byClient.get(client) ?? null);
  }
}
