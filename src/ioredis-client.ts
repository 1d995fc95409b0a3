/**
 * What distrilock uses of an ioredis client: `Redis` and `Cluster` of ioredis 5 and 6 have it. It is told from other clients by
 * its shape, not by its class, so that a client of another copy of ioredis works too.
 */
export interface IoredisClient {
  readonly status: string;
  readonly isCluster: boolean;
  readonly options: { readonly keyPrefix?: string | undefined };
  /** The socket; what is written to it when it is half closed is lost, or queued by ioredis. Clusters have none. */
  readonly stream?: { readonly writable?: boolean };
  /** Functions that send the command as it is, past auto-pipelining; `string` decodes replies. To be called on the client. */
  createBuiltinCommand(name: string): { readonly string: SendCommand };
  connect(): Promise<void>;
  disconnect(): void;
  quit(): Promise<unknown>;
  on(event: string, listener: (...details: never[]) => void): unknown;
}

export type SendCommand = (this: IoredisClient, ...args: (string | number)[]) => Promise<unknown>;

/** Whether a value is a client of ioredis. */
export function isIoredisClient(value: object): value is IoredisClient {
  const { status, isCluster, options, createBuiltinCommand, connect, disconnect, quit, on } =
    value as Partial<IoredisClient>;
  return (
    typeof status === 'string' &&
    typeof isCluster === 'boolean' &&
    typeof options === 'object' &&
    [createBuiltinCommand, connect, disconnect, quit, on].every((method) => typeof method === 'function')
  );
}
