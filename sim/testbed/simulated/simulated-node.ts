import type { LockCommand, LockReply } from '../../../src/lock-node.ts';
import type { ObservedLog } from '../../history/observed-log.ts';
import type { Exchange, Link } from './link.ts';
import type { ModelNode } from './model-node.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import type { Simulation } from './simulation.ts';

export type NodeExchange = Exchange<LockCommand, LockReply>;

/** A redis-server in the simulation: the model of what it stores, with a clock, a process that can stop or die, and connections. */
export class SimulatedNode {
  readonly name: string;
  readonly model: ModelNode;
  readonly clock: SimulatedClock;
  /** The links of all clients to it. */
  readonly links: Link<LockCommand, LockReply>[] = [];
  isUp = true;
  isPaused = false;
  private readonly simulation: Simulation;
  private readonly log: ObservedLog;
  private readonly namePlace: number;
  /** Requests in the socket buffers of a paused process. */
  private waiting: NodeExchange[] = [];

  constructor(name: string, simulation: Simulation, log: ObservedLog, model: ModelNode, clock: SimulatedClock) {
    this.name = name;
    this.simulation = simulation;
    this.log = log;
    this.model = model;
    this.clock = clock;
    this.namePlace = log.intern(name);
  }

  serve(exchange: NodeExchange, clientPlace: number): void {
    if (this.isPaused) {
      this.waiting.push(exchange);
      return;
    }
    const { model, log, simulation } = this;
    const command = exchange.request;
    model.trueUs = simulation.nowUs;
    const reply = model.execute(command, this.clock.nowMs());
    log.recordExecuted(
      simulation.nowUs,
      exchange.number,
      clientPlace,
      this.namePlace,
      log.intern(command.kind),
      log.intern(reply.kind),
      exchange.keyPlace,
      exchange.valuePlace,
      model.before === null ? -1 : log.intern(model.before),
      model.changed,
    );
    exchange.link.answer(exchange, reply);
  }

  pause(): void {
    if (this.isPaused || !this.isUp) return;
    this.isPaused = true;
    this.log.record({ type: 'node-paused', timeUs: this.simulation.nowUs, node: this.name });
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.log.record({ type: 'node-resumed', timeUs: this.simulation.nowUs, node: this.name });
    const { waiting } = this;
    this.waiting = [];
    for (const exchange of waiting) exchange.link.arrive(exchange);
  }

  crash(how: 'kill' | 'terminate' | 'power-loss', fault: number): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.isPaused = false;
    this.waiting = [];
    this.log.record({ type: 'node-crashed', timeUs: this.simulation.nowUs, node: this.name });
    this.model.crash(how, this.clock.nowMs(), this.simulation.nowUs);
    for (const link of this.links) link.reset(fault);
  }

  restart(): void {
    if (this.isUp) return;
    this.isUp = true;
    const keys = this.model.restart(this.clock.nowMs(), this.simulation.nowUs);
    this.log.record({ type: 'node-restarted', timeUs: this.simulation.nowUs, node: this.name, keys });
  }

  /** Steps the clock by `byMs`, and sets its rate; keys that are over by the new time go. */
  changeClock(byMs: number, rate: number): void {
    this.clock.jump(byMs);
    this.clock.setRate(rate);
    this.log.record({ type: 'node-clock-changed', timeUs: this.simulation.nowUs, node: this.name, byMs, rate });
    this.model.expire(this.clock.nowMs());
  }

  holds(key: string, value: string): boolean {
    return this.isUp && this.model.holds(key, this.clock.nowMs()) === value;
  }
}
