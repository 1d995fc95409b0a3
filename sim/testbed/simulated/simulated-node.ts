import type { LockCommand, LockReply } from '../../../src/lock-node.ts';
import type { ObservedLog } from '../../history/observed-log.ts';
import { valueOfCommand } from '../command-value.ts';
import type { Exchange, Link } from './link.ts';
import type { ModelNode } from '../model-node/model-node.ts';
import type { CrashKind } from '../model-node/persistence.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import { type ReplyPlaces, replyPlaces } from './reply-places.ts';
import type { Simulation } from './simulation.ts';

export type NodeExchange = Exchange<LockCommand, LockReply>;

/** A redis-server in the simulation: the model of what it stores, with a clock, a process that can stop or die, and connections. */
export class SimulatedNode {
  readonly name: string;
  readonly model: ModelNode;
  readonly clock: SimulatedClock;
  /** How often it was started: another run_id each time. */
  private runs = 1;
  /** The links of all clients to it. */
  readonly links: Link<LockCommand, LockReply>[] = [];
  private readonly simulation: Simulation;
  private readonly log: ObservedLog;
  private readonly namePlace: number;
  private readonly places: ReplyPlaces;
  /** Requests in the socket buffers of a paused process. */
  private waiting: NodeExchange[] = [];
  /** Faults that pause the process: they may overlap. */
  private readonly pausedBy = new Set<number>();
  /** The fault that killed the server; null while it runs. */
  private downBy: number | null = null;
  private readonly pressedBy = new Set<number>();

  constructor(name: string, simulation: Simulation, log: ObservedLog, model: ModelNode, clock: SimulatedClock) {
    this.name = name;
    this.simulation = simulation;
    this.log = log;
    this.model = model;
    this.clock = clock;
    this.namePlace = log.intern(name);
    this.places = replyPlaces(log);
  }

  /** What the process calls this run of itself. */
  get runId(): string {
    return `${this.name} run ${this.runs}`;
  }

  get isUp(): boolean {
    return this.downBy === null;
  }

  serve(exchange: NodeExchange, clientPlace: number): void {
    if (this.pausedBy.size > 0) {
      this.waiting.push(exchange);
      return;
    }
    const { model, log, simulation } = this;
    // A connection ends with the process, so what arrives was sent by somebody who has asked this very process for its run_id.
    const reply = model.execute(exchange.request, this.clock.nowMs(), simulation.nowUs, this.runId);
    log.recordExecuted(
      simulation.nowUs,
      exchange.number,
      clientPlace,
      this.namePlace,
      exchange.kindPlace,
      this.places[reply.kind],
      exchange.keyPlace,
      exchange.valuePlace,
      this.placeBefore(exchange),
      model.changed,
    );
    exchange.link.answer(exchange, reply);
  }

  pause(fault: number): void {
    this.pausedBy.add(fault);
    if (this.pausedBy.size > 1) return;
    this.log.record({ type: 'node-paused', timeUs: this.simulation.nowUs, node: this.name });
  }

  /** Ends the pause of this fault, unless the process has died since. */
  resume(fault: number): void {
    if (!this.pausedBy.delete(fault) || this.pausedBy.size > 0) return;
    this.log.record({ type: 'node-resumed', timeUs: this.simulation.nowUs, node: this.name });
    const { waiting } = this;
    this.waiting = [];
    for (const exchange of waiting) exchange.link.ends.serve(exchange);
  }

  /** Only of a server that runs. */
  crash(how: CrashKind, fault: number): void {
    this.downBy = fault;
    this.die(fault);
    this.model.crash(how, this.clock.nowMs(), this.simulation.nowUs);
  }

  /** Starts the server again, if it was this fault that killed it. */
  restart(fault: number): void {
    if (this.downBy !== fault) return;
    this.downBy = null;
    this.recordRestart(this.model.restart(this.clock.nowMs()));
  }

  /** The server dies, and its replica, which lacks what was written after `sinceUs` of true time, takes its place at once. */
  promote(sinceUs: number, fault: number): void {
    this.die(fault);
    this.recordRestart(this.model.promote(sinceUs, this.clock.nowMs()));
  }

  /** Steps the clock; keys that are over by the new time go. */
  jumpClock(byMs: number): void {
    this.clock.jump(byMs);
    this.recordClock(byMs);
    if (this.isUp) this.model.expire(this.clock.nowMs());
  }

  /** The clock runs at this rate until the fault ends, or another one begins. */
  drift(fault: number, rate: number): void {
    this.clock.drift(fault, rate);
    this.recordClock(0);
  }

  endDrift(fault: number): void {
    this.clock.endDrift(fault);
    this.recordClock(0);
  }

  /** Memory runs short: see {@link ModelNode.pressure}. */
  pressMemory(keyCount: number, draw: () => number, fault: number): void {
    this.pressedBy.add(fault);
    this.model.pressure(keyCount, this.clock.nowMs(), this.simulation.nowUs, draw);
  }

  /** There is memory again, once no other fault takes it. */
  relieveMemory(fault: number): void {
    if (this.pressedBy.delete(fault) && this.pressedBy.size === 0) this.model.relieve();
  }

  flush(): void {
    this.model.flush(this.clock.nowMs(), this.simulation.nowUs);
  }

  holds(key: string, value: string): boolean {
    return this.isUp && this.model.valueOf(key, this.clock.nowMs()) === value;
  }

  private placeBefore({ request, valuePlace }: NodeExchange): number {
    const { before } = this.model;
    if (before === null) return -1;
    return before === valueOfCommand(request) ? valuePlace : this.log.intern(before);
  }

  private die(fault: number): void {
    const { waiting } = this;
    this.waiting = [];
    this.pausedBy.clear();
    this.log.record({ type: 'node-crashed', timeUs: this.simulation.nowUs, node: this.name });
    for (const exchange of waiting) exchange.link.recordLost(exchange, 'request', fault);
    for (const link of this.links) link.reset(fault);
  }

  private recordClock(byMs: number): void {
    const { rate, offsetMs } = this.clock;
    this.log.record({
      type: 'node-clock-changed',
      timeUs: this.simulation.nowUs,
      node: this.name,
      byMs,
      rate,
      offsetMs,
    });
  }

  private recordRestart(keys: number): void {
    this.runs += 1;
    this.log.record({ type: 'node-restarted', timeUs: this.simulation.nowUs, node: this.name, keys });
  }
}
