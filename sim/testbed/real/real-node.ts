import type { ObservedLog } from '../../history/observed-log.ts';
import type { Scenario } from '../../scenario/schema.ts';
import type { ClientRoutes } from './links/client-routes.ts';
import { ClockRates } from './clock-rates.ts';
import type { NodeObserver } from './observers/node-observer.ts';
import { OBSERVER, type Proxies } from './links/proxies.ts';
import type { ClockSkew, FleetServer } from './servers/server-fleet.ts';
import { SerialQueue } from './serial-queue.ts';

/** How far back a write may be lost when power fails: `everysec` syncs once a second, and Linux writes back after some 30 s by itself. */
const UNSYNCED_MS: Readonly<Record<string, number>> = { 'aof-everysec': 1000, 'aof-no': 30_000 };
/** What a server's clock may differ from what it should read; and how exactly the moment is known from which it runs at another rate. */
const CLOCK_TOLERANCE_MS = 20;
const MOMENT_TOLERANCE_MS = 5;
/** How often to put it right. */
const CLOCK_LOOKS = 10;
/** How often to make a server look at its memory until it has evicted what it may. */
const EVICTION_LOOKS = 500;

export type CrashKind = 'kill' | 'terminate' | 'power-loss';

export interface RealNodeOptions {
  readonly observer: NodeObserver;
  readonly server: FleetServer;
  readonly replica: FleetServer | null;
  readonly clients: readonly string[];
  readonly proxies: Proxies;
  readonly routes: ClientRoutes;
  readonly log: ObservedLog;
  readonly settings: Scenario['nodes'];
  readonly nowUs: () => number;
  /** Told when something that is to be done to the node has to wait until it goes on. */
  readonly onHeldUp: () => void;
}

/** A real Redis node of a run: its process, the routes to it, and what is seen of it. */
export class RealNode {
  readonly name: string;
  readonly observer: NodeObserver;
  private readonly options: RealNodeOptions;
  private readonly queue = new SerialQueue();
  private server: FleetServer;
  private replica: FleetServer | null;
  private readonly rates = new ClockRates(1);
  private skew: ClockSkew = { offsetMs: 0, rate: 1 };
  private skewedSinceMs = Date.now();
  private readonly downBy = new Set<number>();
  private readonly pausedBy = new Set<number>();
  private readonly pressedBy = new Set<number>();
  /** Resolves once the server goes on, or is dead. */
  private standstill: { readonly over: Promise<void>; readonly end: () => void } | null = null;

  constructor(options: RealNodeOptions) {
    this.options = options;
    this.name = options.observer.node;
    this.observer = options.observer;
    this.server = options.server;
    this.replica = options.replica;
  }

  get isUp(): boolean {
    return this.downBy.size === 0;
  }

  holds(key: string, value: string): boolean {
    return this.isUp && this.observer.holds(key, value);
  }

  crash(how: CrashKind, fault: number): Promise<void> {
    return this.queue.run(async () => {
      this.downBy.add(fault);
      if (this.downBy.size > 1) return;
      await this.die(how === 'terminate' ? 'SIGTERM' : 'SIGKILL', fault);
      const unsyncedMs = UNSYNCED_MS[this.options.settings.persistence];
      if (how === 'power-loss' && unsyncedMs !== undefined) await this.server.loseUnsynced(unsyncedMs);
    });
  }

  /** Starts the server again, once no other fault keeps it down. Clients come back only when everything that they do is seen again. */
  restart(fault: number): Promise<void> {
    return this.queue.run(async () => {
      if (!this.downBy.delete(fault) || !this.isUp) return;
      // Its clock went on while it was down.
      if (this.isSkewed) await this.server.setClock(this.skewNow());
      await this.server.start();
      await this.comeBack('restart');
    });
  }

  /** Resolves to whether there was a server that could die. */
  promote(fault: number): Promise<boolean> {
    return this.queue.run(async () => {
      if (!this.isUp) return false;
      const { replica } = this;
      if (replica === null) throw new Error(`${this.name} has no replica that could be promoted, or no more`);
      await this.die('SIGKILL', fault);
      this.server = replica;
      this.replica = null;
      this.options.proxies.redirectToReplica(this.name);
      await this.options.proxies.setEnabled(OBSERVER, this.name, true);
      await this.observer.connection.open();
      await this.observer.connection.client.call('REPLICAOF', 'NO', 'ONE');
      await this.comeBack('promotion');
      return true;
    });
  }

  /** Resolves to whether there is a server that stands still now. */
  pause(fault: number): Promise<boolean> {
    return this.queue.run(async () => {
      if (!this.isUp) return false;
      this.pausedBy.add(fault);
      if (this.pausedBy.size > 1) return true;
      let end: () => void = () => undefined;
      const over = new Promise<void>((resolve) => (end = resolve));
      this.standstill = { over, end };
      await this.server.pause();
      this.record('node-paused');
      return true;
    });
  }

  /** Ends the pause of this fault, unless the process has died since. */
  resume(fault: number): Promise<void> {
    return this.queue.run(async () => {
      if (!this.pausedBy.delete(fault) || this.pausedBy.size > 0) return;
      this.record('node-resumed');
      await this.goOn();
    });
  }

  /** Steps the clock; keys that are over by the new time go. */
  jumpClock(byMs: number): Promise<void> {
    return this.whenRunning(() => this.setClock(byMs));
  }

  /** The clock runs at this rate until the fault ends, or another one begins. */
  drift(fault: number, rate: number): Promise<void> {
    return this.whenRunning(() => {
      this.rates.begin(fault, rate);
      return this.setClock(0);
    });
  }

  endDrift(fault: number): Promise<void> {
    return this.whenRunning(() => {
      this.rates.end(fault);
      return this.setClock(0);
    });
  }

  /** Memory runs short: keys go at once, or under noeviction nothing new is taken until `relieveMemory`. Resolves to whether there was a server to feel it. */
  pressMemory(fault: number): Promise<boolean> {
    return this.whenRunning(async () => {
      if (!this.isUp) return false;
      this.pressedBy.add(fault);
      await this.observer.limitMemory(1);
      const policy = this.options.settings.maxmemoryPolicy;
      if (policy === 'noeviction') return true;
      const { client } = this.observer.connection;
      for (let looks = 0; this.observer.keys().length > 0; looks += 1) {
        if (looks > EVICTION_LOOKS) throw new Error(`${this.name} does not evict all keys under ${policy}`);
        // A write makes the server look at its memory; that this one is refused is no news.
        await client.call('SET', 'pressure', '1', 'PX', '1').catch(() => undefined);
        await this.observer.connection.catchUp();
      }
      await this.observer.limitMemory(0);
      return true;
    });
  }

  /** There is memory again, once no other fault takes it. */
  relieveMemory(fault: number): Promise<void> {
    return this.whenRunning(async () => {
      if (!this.pressedBy.delete(fault) || this.pressedBy.size > 0 || !this.isUp) return;
      await this.observer.limitMemory(0);
    });
  }

  /** Resolves to whether there was a server to be flushed. */
  flush(): Promise<boolean> {
    return this.whenRunning(async () => {
      if (!this.isUp) return false;
      await this.observer.connection.client.flushall();
      await this.observer.connection.catchUp();
      return true;
    });
  }

  /** Does what needs an answer of the server. One that is paused gives it when it goes on. */
  private async whenRunning<Result>(work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      if (this.standstill !== null) {
        this.options.onHeldUp();
        await this.standstill.over;
      }
      const done = await this.queue.run(async () => (this.standstill === null ? { result: await work() } : null));
      if (done !== null) return done.result;
    }
  }

  private get isSkewed(): boolean {
    return this.skew.offsetMs !== 0 || this.skew.rate !== 1;
  }

  /** By how much the clock is off now. */
  private skewNow(): ClockSkew {
    const sinceMs = Date.now() - this.skewedSinceMs;
    return { offsetMs: this.skew.offsetMs + sinceMs * (this.skew.rate - 1), rate: this.skew.rate };
  }

  /** Steps the clock, and sets its rate. That the server reads it so is seen to, and keys that are over by it are made to go. */
  private async setClock(byMs: number): Promise<void> {
    const { rate } = this.rates;
    this.skew = { offsetMs: this.skewNow().offsetMs + byMs, rate };
    this.skewedSinceMs = Date.now();
    // One that is down finds its clock so when it starts again.
    if (this.isUp) await this.adoptSkew();
    const { nowUs, log } = this.options;
    log.record({ type: 'node-clock-changed', timeUs: nowUs(), node: this.name, byMs, rate });
    if (this.isUp) await this.observer.touchKeys();
  }

  /**
   * Sets the server's clock. A rate counts from a moment that is not known exactly, when the process started: what that makes of the clock
   * is put right. The longer an answer takes, the less of it shows at once.
   */
  private async adoptSkew(): Promise<void> {
    await this.server.setClock(this.skewNow());
    const toleranceMs = CLOCK_TOLERANCE_MS + MOMENT_TOLERANCE_MS * Math.abs(this.skew.rate - 1);
    let correctionMs = 0;
    for (let looks = 1; ; looks += 1) {
      const errorMs = await this.clockErrorMs();
      if (Math.abs(errorMs) <= toleranceMs) return;
      const { offsetMs, rate } = this.skewNow();
      if (looks > CLOCK_LOOKS) {
        throw new Error(
          `the clock of ${this.name} should be off by ${offsetMs} ms, and is by ${offsetMs + errorMs} ms`,
        );
      }
      correctionMs -= errorMs;
      await this.server.setClock({ offsetMs: offsetMs + correctionMs, rate });
    }
  }

  /** How much further ahead the server's clock is than it should be, as far as asking can tell. */
  private async clockErrorMs(): Promise<number> {
    const before = this.skewNow().offsetMs;
    const { leastMs, mostMs } = await this.observer.readClock();
    const after = this.skewNow().offsetMs;
    const tooLateMs = mostMs - Math.min(before, after);
    const tooEarlyMs = leastMs - Math.max(before, after);
    return tooEarlyMs > 0 ? tooEarlyMs : Math.min(0, tooLateMs);
  }

  private async die(signal: 'SIGKILL' | 'SIGTERM', fault: number): Promise<void> {
    const isPaused = this.pausedBy.size > 0;
    this.pausedBy.clear();
    await this.observer.connection.outlive(async () => {
      // First: Toxiproxy does not close a route while it looks for a server that has left its network.
      await this.onRoutes((client) => this.options.routes.close(client, this.name, fault));
      // A process that is stopped does not hear that it shall terminate.
      if (isPaused && signal === 'SIGTERM') await this.server.resume();
      await this.server.stop(signal);
    });
    this.standstill?.end();
    this.standstill = null;
    this.record('node-crashed');
  }

  private async goOn(): Promise<void> {
    await this.server.resume();
    this.standstill?.end();
    this.standstill = null;
  }

  private async comeBack(cause: 'restart' | 'promotion'): Promise<void> {
    const { proxies, log, nowUs, routes } = this.options;
    await proxies.setEnabled(OBSERVER, this.name, true);
    await this.observer.connection.open();
    if (this.isSkewed) await this.adoptSkew();
    await this.observer.readClock();
    const keys = await this.observer.readKeys(cause);
    const isFull = this.pressedBy.size > 0 && this.options.settings.maxmemoryPolicy === 'noeviction';
    await this.observer.limitMemory(isFull ? 1 : 0);
    log.record({ type: 'node-restarted', timeUs: nowUs(), node: this.name, keys });
    await this.onRoutes((client) => routes.open(client, this.name));
  }

  private record(type: 'node-paused' | 'node-resumed' | 'node-crashed'): void {
    this.options.log.record({ type, timeUs: this.options.nowUs(), node: this.name });
  }

  private async onRoutes(act: (client: string) => Promise<void>): Promise<void> {
    await Promise.all(this.options.clients.map(act));
  }
}
