import type { DurationRange } from '../../scenario/duration.ts';
import type { ObservedLog } from '../../history/observed-log.ts';
import type { ScheduledEvent } from './event-queue.ts';
import type { RandomStream } from './random-streams.ts';
import { CLOSED, LOST, type Rule } from './rules.ts';
import type { Simulation } from './simulation.ts';

export type Direction = 'request' | 'reply';

/** A request on its way to a server, and its reply on the way back: one object for both. */
export class Exchange<Request, Reply> {
  readonly link: Link<Request, Reply>;
  /** Numbers the command or the write in the history. */
  readonly number: number;
  readonly kind: string;
  readonly kindPlace: number;
  readonly request: Request;
  readonly requestBytes: number;
  readonly settle: (reply: Reply) => void;
  /** The places of kind, key and value in the history's table of texts. */
  readonly keyPlace: number;
  readonly valuePlace: number;
  reply: Reply | null = null;
  direction: Direction = 'request';
  /** Its message that is on the way; null while a server has it, or when it was dropped. */
  inFlight: ScheduledEvent | null = null;
  /** Whether its connection broke: a server that has the request may still run it, but the reply has no way back. */
  isBroken = false;
  /** Its place among the link's outstanding exchanges. */
  slot = 0;

  constructor(
    link: Link<Request, Reply>,
    number: number,
    kind: string,
    kindPlace: number,
    request: Request,
    requestBytes: number,
    keyPlace: number,
    valuePlace: number,
    settle: (reply: Reply) => void,
  ) {
    this.link = link;
    this.number = number;
    this.kind = kind;
    this.kindPlace = kindPlace;
    this.request = request;
    this.requestBytes = requestBytes;
    this.keyPlace = keyPlace;
    this.valuePlace = valuePlace;
    this.settle = settle;
  }
}

/** Bytes of a reply on the wire, about. */
const REPLY_BYTES = 8;

/** The two ends of a link. */
export interface LinkEnds<Request, Reply> {
  readonly clientName: string;
  readonly serverName: string;
  /** Whether something answers at the server's address. */
  isUp(): boolean;
  /** The request has arrived. */
  serve(exchange: Exchange<Request, Reply>): void;
  /** The reply has arrived. */
  deliver(exchange: Exchange<Request, Reply>): void;
  /** What the client's side makes of a broken or refused connection. */
  failure(reason: string, sent: boolean): Reply;
}

/**
 * The connection of one client to one server: messages take time, arrive in order, and obey the rules that faults
 * have put on it. A message that a rule drops is gone for good.
 */
export class Link<Request, Reply> {
  readonly ends: LinkEnds<Request, Reply>;
  readonly requestRules: Rule[] = [];
  readonly replyRules: Rule[] = [];
  /** How much later than it broke the client learns that its connection did. */
  closeDelayUs = 0;
  private readonly simulation: Simulation;
  private readonly log: ObservedLog;
  private readonly random: RandomStream;
  private readonly leastUs: number;
  private readonly spanUs: number;
  private lastRequestUs = 0;
  private lastReplyUs = 0;
  private readonly outstanding: Exchange<Request, Reply>[] = [];

  constructor(
    simulation: Simulation,
    log: ObservedLog,
    random: RandomStream,
    latency: DurationRange,
    ends: LinkEnds<Request, Reply>,
  ) {
    this.simulation = simulation;
    this.log = log;
    this.random = random;
    this.leastUs = Math.round(latency.minMs * 1000);
    this.spanUs = Math.round((latency.maxMs - latency.minMs) * 1000);
    this.ends = ends;
  }

  send(exchange: Exchange<Request, Reply>): void {
    exchange.slot = this.outstanding.length;
    this.outstanding.push(exchange);
    this.transmit(exchange, 'request');
  }

  answer(exchange: Exchange<Request, Reply>, reply: Reply): void {
    if (exchange.isBroken) return;
    exchange.reply = reply;
    exchange.direction = 'reply';
    this.transmit(exchange, 'reply');
  }

  /**
   * Breaks the connection: what is on the way is lost, and the client learns it of each exchange that it waits for. A request
   * that has already reached the server's buffers is run all the same.
   */
  reset(fault: number | null): void {
    // A new connection costs a round trip before anything travels on it.
    this.lastRequestUs = Math.max(this.lastRequestUs, this.simulation.nowUs) + 2 * (this.leastUs + this.spanUs);
    for (const exchange of [...this.outstanding]) {
      if (exchange.isBroken) continue;
      exchange.isBroken = true;
      if (exchange.inFlight !== null) {
        this.simulation.cancel(exchange.inFlight);
        this.recordLost(exchange, fault);
      }
      exchange.reply = this.ends.failure('the connection was reset', true);
      exchange.direction = 'reply';
      this.transmit(exchange, 'reply', this.closeDelayUs);
    }
  }

  recordLost(exchange: Exchange<Request, Reply>, fault: number | null): void {
    this.log.record({
      type: 'message-lost',
      timeUs: this.simulation.nowUs,
      command: exchange.number,
      client: this.ends.clientName,
      node: this.ends.serverName,
      direction: exchange.direction,
      fault,
    });
  }

  private transmit(exchange: Exchange<Request, Reply>, direction: Direction, extraUs = 0): void {
    const { simulation } = this;
    let delayUs = extraUs + this.leastUs + Math.floor(this.random.fraction() * (this.spanUs + 1));
    exchange.inFlight = null;
    const rules = direction === 'request' ? this.requestRules : this.replyRules;
    if (rules.length > 0) {
      const addedUs = this.obey(rules, exchange, direction);
      if (addedUs === LOST) return;
      delayUs += addedUs;
    }
    if (direction === 'request') {
      this.lastRequestUs = Math.max(this.lastRequestUs, simulation.nowUs + delayUs);
      exchange.inFlight = simulation.scheduleAt(
        this.lastRequestUs,
        arriveAtServer,
        exchange as Exchange<unknown, unknown>,
      );
    } else {
      this.lastReplyUs = Math.max(this.lastReplyUs, simulation.nowUs + delayUs);
      exchange.inFlight = simulation.scheduleAt(
        this.lastReplyUs,
        arriveAtClient,
        exchange as Exchange<unknown, unknown>,
      );
    }
  }

  /** Asks each rule in turn; returns the delay that they add, or LOST. */
  private obey(rules: readonly Rule[], exchange: Exchange<Request, Reply>, direction: Direction): number {
    let totalUs = 0;
    const bytes = bytesOf(exchange as Exchange<unknown, unknown>, direction);
    for (const rule of rules) {
      const delayUs = rule.delayUs(exchange.kind, bytes);
      if (delayUs === LOST || delayUs === CLOSED) {
        this.recordLost(exchange, rule.fault);
        if (delayUs === CLOSED) this.reset(rule.fault);
        return LOST;
      }
      if (delayUs > 0) {
        totalUs += delayUs;
        this.log.record({
          type: 'message-delayed',
          timeUs: this.simulation.nowUs,
          command: exchange.number,
          client: this.ends.clientName,
          node: this.ends.serverName,
          direction,
          byUs: delayUs,
          fault: rule.fault,
        });
      }
    }
    return totalUs;
  }

  /** @internal */
  arrive(exchange: Exchange<Request, Reply>): void {
    exchange.inFlight = null;
    if (this.ends.isUp()) this.ends.serve(exchange);
    else this.answer(exchange, this.ends.failure('the connection was refused', false));
  }

  /** @internal */
  comeBack(exchange: Exchange<Request, Reply>): void {
    exchange.inFlight = null;
    const last = this.outstanding.pop() as Exchange<Request, Reply>;
    if (last !== exchange) {
      this.outstanding[exchange.slot] = last;
      last.slot = exchange.slot;
    }
    this.ends.deliver(exchange);
  }
}

function bytesOf(exchange: Exchange<unknown, unknown>, direction: Direction): number {
  if (exchange.isBroken) return 0;
  return direction === 'request' ? exchange.requestBytes : REPLY_BYTES;
}

function arriveAtServer(exchange: Exchange<unknown, unknown>): void {
  exchange.link.arrive(exchange);
}

function arriveAtClient(exchange: Exchange<unknown, unknown>): void {
  exchange.link.comeBack(exchange);
}
