import { FENCING_COUNTER_SUFFIX } from '../../../src/fencing-counter-key.ts';
import type { KeyLost } from '../../history/event.ts';
import { ModelNode } from '../model-node/model-node.ts';
import { type Entry, NodeData } from '../model-node/node-data.ts';
import type { Address } from './client-messages.ts';
import type { Execution } from './command-matcher.ts';
import { lockCommandOf } from './monitor-line.ts';
import { ServerConnection } from './server-connection.ts';

export interface NodeObserverOptions {
  readonly node: string;
  readonly address: Address;
  readonly keyPrefix: string;
  readonly nowUs: () => number;
  readonly onExecuted: (execution: Execution) => void;
  readonly onKeyLost: (event: KeyLost) => void;
}

/**
 * Sees what a real node does. MONITOR tells each command and the time by the server's own clock, but not the answer: that comes from a model node
 * which follows the server command by command, and which the conformance suite holds to the same answers. Whenever keys may have
 * gone in another way, the model takes on what the server holds.
 */
export class NodeObserver {
  readonly node: string;
  readonly connection: ServerConnection;
  private readonly options: NodeObserverOptions;
  private readonly model: ModelNode;
  /** How far the server's wall clock is ahead of the host's. */
  private skewMs = 0;

  constructor(options: NodeObserverOptions) {
    this.node = options.node;
    this.options = options;
    const { node, nowUs, onKeyLost } = options;
    this.model = new ModelNode(
      { persistence: 'none', maxmemoryPolicy: 'noeviction', replicaHorizonUs: 0 },
      Date.now(),
      (key, value, cause) => {
        onKeyLost({ type: 'key-lost', timeUs: nowUs(), node, key, value, cause });
      },
    );
    this.connection = new ServerConnection(options.address, (args, wallMs) => {
      this.follow(args, wallMs);
    });
  }

  /** Whether the node holds the value under the key now, as far as was seen. */
  holds(key: string, value: string): boolean {
    return this.model.valueOf(key, Date.now() + this.skewMs) === value;
  }

  /** Reads the server's clock: keys that are over by it are lost. Resolves to how far it is ahead of the host's. */
  async readClock(): Promise<number> {
    const beforeMs = Date.now();
    const wallMs = await this.connection.wallMs();
    this.skewMs = wallMs - (beforeMs + Date.now()) / 2;
    this.model.expire(wallMs);
    return this.skewMs;
  }

  /** Looks at what the server holds: keys that it should hold and does not are lost by `cause`. Resolves to how many it holds. */
  async readKeys(cause: KeyLost['cause']): Promise<number> {
    const { client } = this.connection;
    const names = (await client.keys('*')).filter((name) => name.startsWith(this.options.keyPrefix));
    const found = new Map<string, Entry>();
    const counters = new Map<string, number>();
    const wallMs = await this.connection.wallMs();
    for (const name of names) {
      const lockKey = lockKeyOfCounter(name);
      if (lockKey !== null) {
        counters.set(lockKey, Number(await client.get(name)));
        continue;
      }
      const [value, remainingMs] = await Promise.all([client.get(name), client.pttl(name)]);
      if (value !== null && remainingMs >= 0) found.set(name, { value, expiresAtMs: Math.floor(wallMs) + remainingMs });
    }
    return this.model.adopt(new NodeData(found, counters), cause, wallMs);
  }

  /** Tells the model that the server refuses what needs memory, or no longer does. */
  setFull(isFull: boolean): void {
    if (isFull) this.model.pressure(0, Date.now() + this.skewMs, 0, () => 0);
    else this.model.relieve();
  }

  /** The lock keys that the node should hold. */
  keys(): readonly string[] {
    return this.model.keys();
  }

  private follow(args: readonly string[], wallMs: number): void {
    const command = lockCommandOf(args);
    if (command === null) return;
    const reply = this.model.execute(command, wallMs, 0);
    this.options.onExecuted({
      timeUs: this.options.nowUs(),
      node: this.node,
      kind: command.kind,
      key: command.key,
      value: command.kind === 'inspect' ? '' : command.value,
      reply: reply.kind,
      before: this.model.before,
      changed: this.model.changed,
    });
  }
}

/** Whose fencing counter a key is; null if it is none. */
function lockKeyOfCounter(name: string): string | null {
  if (!name.endsWith(FENCING_COUNTER_SUFFIX)) return null;
  const rest = name.slice(0, -FENCING_COUNTER_SUFFIX.length);
  return /^(.*)\{\1\}$/s.exec(rest)?.[1] ?? rest;
}
