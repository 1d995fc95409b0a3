import type { DurationRange } from '../../scenario/duration.ts';
import type { ObservedLog } from '../../history/observed-log.ts';
import type { ScheduledEvent } from './event-queue.ts';
import type { RandomStream } from '../random-streams.ts';
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
  /** The fault that broke its connection: a server that has the request may still run it, but the reply has no way back. Null while it is whole. */
  brokenBy: number | null = null;
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
 * The connections of one client to one server, one after the other: messages take time, arrive in order, and obey the rules that
 * faults have put on the link. A message that a rule drops is gone for good. A client learns only after a while that its
 * connection broke; what it sends until then is lost, and afterwards it connects again, which takes a round trip.
 */
export class Link<Request, Reply> {
  readonly ends: LinkEnds<Request, Reply>;
  readonly requestRules: Rule[] = [];
  readonly replyRules: Rule[] = [];
  /** How much later than it broke the client learns that its connection did. */
  closeDelayUs = 0;
  /** How many round trips a new connection takes until it carries commands. */
  handshakes = 1;
  private readonly simulation: Simulation;
  private readonly log: ObservedLog;
  private readonly random: RandomStream;
  private readonly leastUs: number;
  private readonly spanUs: number;
  private lastRequestUs = 0;
  private lastReplyUs = 0;
  /** When the client learns, or learnt, that its connection broke; Infinity when the news was dropped. */
  private newsUs = Number.NEGATIVE_INFINITY;
  /** What broke it. */
  private brokenBy = 0;
  /** When the connection after it is open. */
  private openUs = 0;
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
    // Nothing travels in no time: clients that retry at once would hold time still.
    this.leastUs = Math.max(1, Math.round(latency.minMs * 1000));
    this.spanUs = Math.max(0, Math.round(latency.maxMs * 1000) - this.leastUs);
    this.ends = ends;
  }

  /** When everything has arrived that is on its way now, the news of a broken connection included; never is not counted. */
  get quietUs(): number {
    const { lastRequestUs, lastReplyUs, newsUs, openUs } = this;
    return Math.max(lastRequestUs, lastReplyUs, ...[newsUs, openUs].filter(Number.isFinite));
  }

  send(exchange: Exchange<Request, Reply>): void {
    exchange.slot = this.outstanding.length;
    this.outstanding.push(exchange);
    if (this.simulation.nowUs < this.newsUs) {
      this.recordLost(exchange, 'request', this.brokenBy);
      this.break(exchange);
    } else this.transmit(exchange, 'request', exchange.kind, exchange.requestBytes);
  }

  answer(exchange: Exchange<Request, Reply>, reply: Reply): void {
    if (exchange.brokenBy === null) this.turn(exchange, reply, exchange.kind, REPLY_BYTES);
    else this.recordLost(exchange, 'reply', exchange.brokenBy);
  }

  /**
   * Breaks the connection: what is on the way is lost, and the client learns it of all that it waits for at once. A request that
   * has already reached the server's buffers is run all the same.
   */
  reset(fault: number): void {
    const { nowUs } = this.simulation;
    // It is broken already, and the client will know.
    if (nowUs <= this.newsUs && this.newsUs !== Number.POSITIVE_INFINITY) return;
    this.breakConnection(fault);
  }

  private breakConnection(fault: number): void {
    const { nowUs } = this.simulation;
    for (const exchange of this.outstanding) {
      if (exchange.inFlight === null || isBeingTold(exchange)) continue;
      this.simulation.cancel(exchange.inFlight);
      exchange.inFlight = null;
      this.recordLost(exchange, exchange.direction, fault);
    }
    for (const rule of this.requestRules) rule.reconnect?.();
    for (const rule of this.replyRules) rule.reconnect?.();
    this.brokenBy = fault;
    this.newsUs = nowUs + this.newsDelayUs();
    this.openUs = this.newsUs + 2 * this.handshakes * (this.leastUs + this.spanUs);
    this.lastRequestUs = 0;
    this.lastReplyUs = 0;
    for (const exchange of this.outstanding) if (!isBeingTold(exchange)) this.break(exchange);
  }

  recordLost(exchange: Exchange<Request, Reply>, direction: Direction, fault: number): void {
    this.log.record({
      type: 'message-lost',
      timeUs: this.simulation.nowUs,
      command: exchange.number,
      client: this.ends.clientName,
      node: this.ends.serverName,
      direction,
      fault,
    });
  }

  /** The exchange was under way when its connection broke: the client takes it for failed when the news reaches it, if it does. */
  private break(exchange: Exchange<Request, Reply>): void {
    exchange.brokenBy ??= this.brokenBy;
    if (this.newsUs === Number.POSITIVE_INFINITY) return;
    exchange.reply = this.ends.failure('the connection was reset', true);
    exchange.inFlight = this.simulation.scheduleAt(this.newsUs, arriveAtClient, exchange as Exchange<unknown, unknown>);
  }

  /** How long the news that the connection broke takes to the client; Infinity if a rule drops it. */
  private newsDelayUs(): number {
    let delayUs = this.closeDelayUs + this.drawLatencyUs();
    for (const rule of this.replyRules) {
      const addedUs = rule.delayUs(null, 0);
      if (addedUs === LOST) return Number.POSITIVE_INFINITY;
      delayUs += addedUs;
    }
    return delayUs;
  }

  /** Sends the exchange back to the client. */
  private turn(exchange: Exchange<Request, Reply>, reply: Reply, kind: string | null, bytes: number): void {
    exchange.reply = reply;
    exchange.direction = 'reply';
    this.transmit(exchange, 'reply', kind, bytes);
  }

  private transmit(exchange: Exchange<Request, Reply>, direction: Direction, kind: string | null, bytes: number): void {
    const { simulation } = this;
    let delayUs = this.drawLatencyUs();
    const rules = direction === 'request' ? this.requestRules : this.replyRules;
    if (rules.length > 0) {
      const addedUs = this.obey(rules, exchange, direction, kind, bytes);
      if (addedUs === LOST) return;
      delayUs += addedUs;
    }
    if (direction === 'request') {
      const leavesUs = Math.max(simulation.nowUs, this.openUs);
      this.lastRequestUs = Math.max(this.lastRequestUs, leavesUs + delayUs);
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

  private drawLatencyUs(): number {
    return this.leastUs + Math.floor(this.random.fraction() * (this.spanUs + 1));
  }

  /** Asks each rule in turn; returns the delay that they add, or LOST. */
  private obey(
    rules: readonly Rule[],
    exchange: Exchange<Request, Reply>,
    direction: Direction,
    kind: string | null,
    bytes: number,
  ): number {
    let totalUs = 0;
    for (const rule of rules) {
      const delayUs = rule.delayUs(kind, bytes);
      if (delayUs === LOST || delayUs === CLOSED) {
        this.recordLost(exchange, direction, rule.fault);
        // Sent in the very moment of the news, it already is on the connection after the broken one, which closes in its turn.
        if (delayUs === CLOSED) this.breakConnection(rule.fault);
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
    // That nobody listens is news of the connection, not a reply to this command.
    else this.turn(exchange, this.ends.failure('the connection was refused', false), null, 0);
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

/** Whether the news that its connection broke is on the way. */
function isBeingTold({ brokenBy, inFlight }: Pick<Exchange<unknown, unknown>, 'brokenBy' | 'inFlight'>): boolean {
  return brokenBy !== null && inFlight !== null;
}

function arriveAtServer(exchange: Exchange<unknown, unknown>): void {
  exchange.link.arrive(exchange);
}

function arriveAtClient(exchange: Exchange<unknown, unknown>): void {
  exchange.link.comeBack(exchange);
}
