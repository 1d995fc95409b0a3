import type { Scenario } from '../../scenario/schema.ts';
import type { ObservedLog } from '../../history/observed-log.ts';
import type { NodeObserver } from './node-observer.ts';
import { OBSERVER, type Proxies } from './proxies.ts';
import type { ClockSkew, FleetServer } from './server-fleet.ts';

/** How far back a write may be lost when power fails: `everysec` syncs once a second, and Linux writes back after some 30 s by itself. */
const UNSYNCED_MS: Readonly<Record<string, number>> = { 'aof-everysec': 1000, 'aof-no': 30_000 };
/** What a server's clock may differ from what it was set to: the time that asking takes. */
const CLOCK_TOLERANCE_MS = 250;
/** How long an eviction may take. */
const EVICTION_LOOKS = 500;

export type CrashKind = 'kill' | 'terminate' | 'power-loss';

/** A real Redis node of a run: its process, the routes to it, and what is seen of it. */
export class RealNode {
  readonly name: string;
  readonly observer: NodeObserver;
  private server: FleetServer;
  private readonly replica: FleetServer | null;
  private readonly clients: readonly string[];
  private readonly proxies: Proxies;
  private readonly log: ObservedLog;
  private readonly persistence: Scenario['nodes']['persistence'];
  private readonly nowUs: () => number;
  private skew: ClockSkew = { offsetMs: 0, rate: 1 };
  private skewedSinceMs = Date.now();
  private readonly downBy = new Set<number>();
  private readonly pausedBy = new Set<number>();

  constructor(options: {
    readonly observer: NodeObserver;
    readonly server: FleetServer;
    readonly replica: FleetServer | null;
    readonly clients: readonly string[];
    readonly proxies: Proxies;
    readonly log: ObservedLog;
    readonly persistence: Scenario['nodes']['persistence'];
    readonly nowUs: () => number;
  }) {
    this.name = options.observer.node;
    this.observer = options.observer;
    this.server = options.server;
    this.replica = options.replica;
    this.clients = options.clients;
    this.proxies = options.proxies;
    this.log = options.log;
    this.persistence = options.persistence;
    this.nowUs = options.nowUs;
  }

  get isUp(): boolean {
    return this.downBy.size === 0;
  }

  holds(key: string, value: string): boolean {
    return this.isUp && this.observer.holds(key, value);
  }

  async crash(how: CrashKind, fault: number): Promise<void> {
    this.downBy.add(fault);
    if (this.downBy.size > 1) return;
    await this.die(how === 'terminate' ? 'SIGTERM' : 'SIGKILL');
    const unsyncedMs = UNSYNCED_MS[this.persistence];
    if (how === 'power-loss' && unsyncedMs !== undefined) await this.server.loseUnsynced(unsyncedMs);
  }

  /** Clients come back only when everything that they do is seen again. */
  async restart(fault: number): Promise<void> {
    if (!this.downBy.delete(fault) || !this.isUp) return;
    await this.server.start();
    await this.comeBack('restart');
  }

  async promote(): Promise<void> {
    if (!this.isUp || this.replica === null) return;
    await this.die('SIGKILL');
    this.server = this.replica;
    this.proxies.redirectToReplica(this.name);
    await this.proxies.setEnabled(OBSERVER, this.name, true);
    await this.observer.connection.open();
    await this.observer.connection.client.call('REPLICAOF', 'NO', 'ONE');
    await this.comeBack('promotion');
  }

  async pause(fault: number): Promise<void> {
    this.pausedBy.add(fault);
    if (this.pausedBy.size > 1 || !this.isUp) return;
    await this.server.pause();
    this.log.record({ type: 'node-paused', timeUs: this.nowUs(), node: this.name });
  }

  async resume(fault: number): Promise<void> {
    if (!this.pausedBy.delete(fault) || this.pausedBy.size > 0 || !this.isUp) return;
    this.log.record({ type: 'node-resumed', timeUs: this.nowUs(), node: this.name });
    await this.server.resume();
  }

  /** Steps the clock and sets its rate; what the server then reads is what counts, and is recorded. */
  async changeClock(byMs: number, rate: number): Promise<void> {
    const sinceMs = Date.now() - this.skewedSinceMs;
    const offsetMs = this.skew.offsetMs + sinceMs * (this.skew.rate - 1) + byMs;
    const beforeMs = await this.observer.readClock();
    this.skew = { offsetMs, rate };
    this.skewedSinceMs = Date.now();
    await this.server.setClock(this.skew);
    const readMs = await this.observer.readClock();
    if (Math.abs(readMs - offsetMs) > CLOCK_TOLERANCE_MS) {
      throw new Error(`the clock of ${this.name} should be off by ${offsetMs} ms, and is by ${readMs} ms`);
    }
    this.log.record({
      type: 'node-clock-changed',
      timeUs: this.nowUs(),
      node: this.name,
      byMs: Math.round(readMs - beforeMs),
      rate,
    });
  }

  get clockRate(): number {
    return this.skew.rate;
  }

  /** Memory runs short: keys go at once, or under noeviction nothing new is taken until `relieve`. */
  async pressMemory(policy: Scenario['nodes']['maxmemoryPolicy']): Promise<void> {
    const { client } = this.observer.connection;
    await client.config('SET', 'maxmemory', '1');
    if (policy === 'noeviction') {
      this.observer.setFull(true);
      return;
    }
    for (let looks = 0; (await client.exists(...this.keysToLookFor())) > 0; looks += 1) {
      if (looks > EVICTION_LOOKS) throw new Error(`${this.name} evicts nothing under ${policy}`);
      // A write makes the server look at its memory.
      await client.call('SET', 'pressure', '1', 'PX', '1').catch(() => undefined);
    }
    await client.config('SET', 'maxmemory', '0');
    await this.observer.readKeys('evicted');
  }

  async relieve(): Promise<void> {
    await this.observer.connection.client.config('SET', 'maxmemory', '0');
    this.observer.setFull(false);
  }

  async flush(): Promise<void> {
    await this.observer.connection.client.flushall();
    await this.observer.readKeys('flush');
  }

  close(): void {
    this.observer.connection.close();
  }

  private keysToLookFor(): readonly [string, ...string[]] {
    const [first, ...rest] = this.observer.keys();
    return first === undefined ? ['nothing'] : [first, ...rest];
  }

  private async die(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.pausedBy.clear();
    this.observer.connection.close();
    // First: Toxiproxy does not close a route while it looks for a server that has left its network.
    await this.setRoutesOpen(false);
    await this.server.stop(signal);
    this.log.record({ type: 'node-crashed', timeUs: this.nowUs(), node: this.name });
  }

  private async comeBack(cause: 'restart' | 'promotion'): Promise<void> {
    await this.proxies.setEnabled(OBSERVER, this.name, true);
    await this.observer.connection.open();
    await this.observer.readClock();
    const keys = await this.observer.readKeys(cause);
    this.log.record({ type: 'node-restarted', timeUs: this.nowUs(), node: this.name, keys });
    await this.setRoutesOpen(true);
  }

  private async setRoutesOpen(open: boolean): Promise<void> {
    await Promise.all(this.clients.map((client) => this.proxies.setEnabled(client, this.name, open)));
  }
}
