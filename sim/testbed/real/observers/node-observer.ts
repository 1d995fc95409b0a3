import { RESTART_MARKER_SUFFIX, RESTART_QUARANTINE_SUFFIX, type RestartGuard } from '../../../../src/restart-guard.ts';
import type { KeyLost } from '../../../history/event.ts';
import { admissionBy } from '../../../workload/facts.ts';
import { type Entry, NodeData } from '../../model-node/node-data.ts';
import type { Address } from '../address.ts';
import { lockKeyOfCounter } from './fencing-counter.ts';
import { ServerConnection } from './server-connection.ts';
import { ServerModel, type ServerModelOptions } from './server-model.ts';

/** How exactly a server's clock is known, and how often to make it look at keys that are over by it. */
const CLOCK_TOLERANCE_MS = 5;
const EXPIRY_LOOKS = 10_000;

export interface NodeObserverOptions extends ServerModelOptions {
  readonly address: Address;
  readonly nowUs: () => number;
  /** Whether no fault moves the node's clock. */
  readonly hasSteadyClock: boolean;
  /** Told when the node cannot be watched any more, and nobody wanted that. */
  readonly onLost: (error: Error) => void;
}

/**
 * Watches a real node: what it does a model concludes that follows it (`ServerModel`), and what it does not show it is asked for. After a restart
 * the model takes on what the server holds.
 */
export class NodeObserver {
  readonly node: string;
  readonly connection: ServerConnection;
  private readonly options: NodeObserverOptions;
  readonly model: ServerModel;
  /** How far the server's wall clock is ahead of the host's, about. */
  private skewMs = 0;

  constructor(options: NodeObserverOptions) {
    this.node = options.node;
    this.options = options;
    const { address, nowUs, hasSteadyClock, onLost } = options;
    this.model = new ServerModel(options);
    this.connection = new ServerConnection({ address, nowUs, hasSteadyClock, watcher: this.model, onLost });
  }

  /** Whether the node holds the value under the key now, as far as was seen. */
  holds(key: string, value: string): boolean {
    return this.model.valueOf(key, Date.now() + this.skewMs) === value;
  }

  /** As `readLead` of the connection, and remembers it. */
  async readClock(): ReturnType<ServerConnection['readLead']> {
    const bounds = await this.connection.readLead();
    this.skewMs = (bounds.leastMs + bounds.mostMs) / 2;
    return bounds;
  }

  /**
   * Makes the server look at the lock keys: those that are over by its clock, which was read since it was set, go now. Resolves once that is seen. Valkey
   * looks at the clock itself only ten times a second, and counts the processor's cycles in between: until then keys are still there.
   */
  async touchKeys(): Promise<void> {
    const { client } = this.connection;
    const keys = this.model.keys();
    if (keys.length > 0) await client.exists(...keys);
    const nowMs = Date.now() + this.skewMs - CLOCK_TOLERANCE_MS;
    const over = keys.filter((key) => (this.model.expiryOf(key) ?? Number.POSITIVE_INFINITY) < nowMs);
    for (let looks = 0; over.length > 0 && (await client.exists(...over)) > 0; looks += 1) {
      if (looks === EXPIRY_LOOKS) throw new Error(`${this.node} does not let keys go that are over by its clock`);
    }
    await this.connection.catchUp();
  }

  /** Lets the server vote from the beginning: it is new, and has nothing to forget. Nobody else may use it meanwhile. */
  async admit(guard: RestartGuard): Promise<void> {
    const { client } = this.connection;
    const runId = /^run_id:(\w+)/m.exec(await client.info('server'))?.[1];
    if (runId === undefined) throw new Error(`${this.node} does not tell its run_id`);
    await this.readHistoryId();
    await client.set(guard.markerKey, this.model.markOf(runId));
    this.model.admit(admissionBy(guard), runId);
  }

  /**
   * Takes on what the server holds, which nobody else may use meanwhile: keys that it should hold and does not are lost by `cause`.
   * Resolves to how many it holds.
   */
  async readKeys(cause: KeyLost['cause']): Promise<number> {
    const { client } = this.connection;
    const names = (await client.keys('*')).filter((name) => name.startsWith(this.options.keyPrefix));
    const found = new Map<string, Entry>();
    const counters = new Map<string, number>();
    const markers = new Map<string, string>();
    const quarantines = new Map<string, number>();
    for (const name of names) {
      const lockKey = lockKeyOfCounter(name);
      if (lockKey !== null) {
        counters.set(lockKey, Number(await client.get(name)));
        continue;
      }
      const [value, remainingMs] = await Promise.all([client.get(name), client.pttl(name)]);
      const wallMs = await this.connection.wallMs();
      if (value === null) continue;
      const expiresAtMs = Math.floor(wallMs) + remainingMs;
      if (name.endsWith(RESTART_MARKER_SUFFIX)) markers.set(name, value);
      else if (name.endsWith(RESTART_QUARANTINE_SUFFIX)) quarantines.set(name, expiresAtMs);
      else if (remainingMs >= 0) found.set(name, { value, expiresAtMs });
    }
    await this.readHistoryId();
    const wallMs = await this.connection.wallMs();
    const data = new NodeData(found, counters, markers, quarantines);
    return this.model.adopt(data, cause, wallMs, this.options.nowUs());
  }

  /** Gives the server so many bytes of memory for all it holds; 0 is no limit. With one byte it refuses what needs memory, once it has evicted what it may. */
  async limitMemory(bytes: 0 | 1): Promise<void> {
    await this.connection.call(['CONFIG', 'SET', 'maxmemory', String(bytes)], () => {
      this.model.noteMemory(bytes !== 0);
    });
  }

  /** The lock keys that the node should hold. */
  keys(): readonly string[] {
    return this.model.keys();
  }

  private async readHistoryId(): Promise<void> {
    const info = await this.connection.client.info('replication');
    this.model.noteHistoryId(/^master_replid:(\w+)/m.exec(info)?.[1] ?? '');
  }
}
