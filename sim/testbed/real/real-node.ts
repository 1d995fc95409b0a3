import type { ObservedLog } from '../../history/observed-log.ts';
import type { Scenario } from '../../scenario/schema.ts';
import type { ClientRoutes } from './links/client-routes.ts';
import { NodeClock, visibleAfterMs } from './node-clock.ts';
import type { NodeObserver } from './observers/node-observer.ts';
import { OBSERVER, type Proxies } from './links/proxies.ts';
import { readUnsyncedMs } from './servers/durability.ts';
import type { FleetServer } from './servers/server-fleet.ts';
import { askedOf } from './servers/asked-of.ts';
import { SerialQueue } from './serial-queue.ts';

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
  readonly schedule: (delayMs: number, run: () => void) => void;
  /** Told of what breaks the run while nobody waits for it. */
  readonly fail: (error: Error) => void;
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
  private readonly clock: NodeClock;
  /** How far back writes go that the server may not have on disk, as it says itself. */
  private unsyncedMs = 0;
  /** The fault that killed the server; null while it runs. */
  private downBy: number | null = null;
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
    this.clock = new NodeClock({
      node: this.name,
      set: (skew) => this.server.setClock(skew),
      read: () => this.observer.readClock(),
    });
  }

  get isUp(): boolean {
    return this.downBy === null;
  }

  holds(key: string, value: string): boolean {
    return this.isUp && this.observer.holds(key, value);
  }

  /** Learns of the server that was just connected to what faults need to know. */
  async getToKnow(): Promise<void> {
    await this.observer.readClock();
    // Now, for when its power fails it may stand still.
    this.unsyncedMs = await readUnsyncedMs(this.observer.connection.client);
  }

  /** Resolves to whether there was a server that could die. */
  crash(how: CrashKind, fault: number): Promise<boolean> {
    return this.run(async () => {
      if (!this.isUp) return false;
      this.downBy = fault;
      await this.die(how === 'terminate' ? 'SIGTERM' : 'SIGKILL', fault);
      if (how === 'power-loss' && this.unsyncedMs > 0) await this.server.loseUnsynced(this.unsyncedMs);
      return true;
    });
  }

  /** Starts the server again, if it was this fault that killed it. Clients come back only when everything that they do is seen again. */
  restart(fault: number): Promise<void> {
    return this.run(async () => {
      if (this.downBy !== fault) return;
      this.downBy = null;
      // Its clock went on while it was down.
      if (this.clock.isSkewed) await this.server.setClock(this.clock.skewNow());
      await this.server.start();
      await this.comeBack('restart');
    });
  }

  /** Resolves to whether there was a server that could die. */
  promote(fault: number): Promise<boolean> {
    return this.run(async () => {
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
    return this.run(async () => {
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
    return this.run(async () => {
      if (!this.pausedBy.delete(fault) || this.pausedBy.size > 0) return;
      this.record('node-resumed');
      await this.goOn();
    });
  }

  /** Steps the clock; keys that are over by the new time go. */
  jumpClock(byMs: number): Promise<void> {
    return this.whenRunning(() => this.changeClock(byMs, () => this.clock.jump(byMs)));
  }

  /** The clock runs at this rate until the fault ends, or another one begins. */
  drift(fault: number, rate: number): Promise<void> {
    return this.changeRate(() => this.clock.drift(fault, rate));
  }

  endDrift(fault: number): Promise<void> {
    return this.changeRate(() => this.clock.endDrift(fault));
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
      const done = await this.run(async () => (this.standstill === null ? { result: await work() } : null));
      if (done !== null) return done.result;
    }
  }

  /** One after the other. */
  private run<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.queue.run(() => askedOf(this.name, work));
  }

  private changeRate(change: () => void): Promise<void> {
    return this.whenRunning(async () => {
      await this.changeClock(0, () => {
        if (this.isUp) this.clock.requireSeenRate();
        change();
      });
      this.confirmRateInTime();
    });
  }

  /** Changes what the clock should read. That the server reads it so is seen to, and keys that are over by it are made to go. */
  private async changeClock(byMs: number, change: () => void): Promise<void> {
    const { clock } = this;
    if (this.isUp) await clock.confirmRate();
    change();
    // One that is down finds its clock so when it starts again.
    const offsetMs = this.isUp ? await clock.adopt() : null;
    const { nowUs, log } = this.options;
    log.record({ type: 'node-clock-changed', timeUs: nowUs(), node: this.name, byMs, rate: clock.rate, offsetMs });
    if (this.isUp) await this.observer.touchKeys();
  }

  /** Once it can be seen whether the clock runs at its rate, it is. What comes in between is for the end of the drift to see. */
  private confirmRateInTime(): void {
    const { rate } = this.clock;
    if (rate === 1) return;
    this.options.schedule(visibleAfterMs(rate), () => {
      this.run(async () => {
        if (this.isUp && this.standstill === null) await this.clock.confirmRate();
      }).catch(this.options.fail);
    });
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
    if (this.clock.isSkewed) await this.clock.adopt();
    await this.getToKnow();
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
