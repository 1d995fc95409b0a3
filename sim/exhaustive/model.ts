import { ClientAutomaton, type ClientFacts, FRESH, INPUT, QUIET, type Transition } from './client-automaton.ts';
import { GrantTraces } from './grant-traces.ts';
import {
  COUNTER,
  CRASHES_LEFT,
  EVICTIONS_LEFT,
  EXPIRES,
  FLAGS,
  FLOOR,
  GLOBAL,
  IS_PAUSED,
  JUMPS_LEFT,
  Layout,
  NOBODY,
  NOW,
  OWNER,
  PAUSES_LEFT,
  type Row,
  START,
  STATUS,
  TRACE,
  WALL_AHEAD,
  WALL_BACK,
  WALL_SHIFT,
} from './layout.ts';
import { Links } from './links.ts';
import type { NodeCommand, NodeContents } from './node-rules.ts';
import { Replies } from './replies.ts';
import { bitOf, RETRY } from './requests.ts';
import { ALL_REDUCTIONS, type Parts, REAL_PARTS, type Reductions, type WorldSettings } from './settings.ts';
import { clientOf, CODE, codeOf, kindOf, nodeOf } from './steps.ts';

/** Properties that a step can violate, as bits. */
export const MUTUAL_EXCLUSION = 1;
export const TOKEN_ORDER = 2;
export const RELEASE_SAFETY = 4;

/** Microseconds of a hint in a tick, at a tenth of their size, so that a token fits into a state. */
const HINT_PER_TICK = 100;
const FAR_AHEAD = 20_000;

/** The small world: which steps are possible in a state, and what state comes of each. */
export class Model {
  readonly world: WorldSettings;
  readonly layout: Layout;
  readonly reductions: Reductions;
  readonly automaton: ClientAutomaton;
  readonly links = new Links();
  readonly replies = new Replies();
  /** The bits of what has happened in some state, and made a difference. */
  happened = 0;
  private readonly parts: Parts;
  private readonly traces: GrantTraces;
  private readonly node: NodeContents = { owner: 0, expiresTick: 0, counter: 0 };
  /** Where the histories of a client's links are gathered for its next step. */
  private readonly linkParts: number[];

  constructor(world: WorldSettings, reductions: Reductions = ALL_REDUCTIONS, parts: Parts = REAL_PARTS) {
    if (reductions.symmetry && !reductions.merging) {
      throw new RangeError('symmetry needs merging: what tells the order tells the nodes apart');
    }
    this.world = world;
    this.layout = new Layout(world);
    this.reductions = reductions;
    this.parts = parts;
    this.automaton = new ClientAutomaton(world, parts, reductions, this.links, this.replies);
    this.traces = new GrantTraces(reductions.traced);
    this.linkParts = new Array<number>(world.nodes).fill(0);
  }

  /** The state in which nothing has happened. */
  initial(): Row {
    const { world, layout } = this;
    const row = new Uint16Array(layout.length);
    row[CRASHES_LEFT] = world.crashes;
    row[PAUSES_LEFT] = world.pauses;
    row[JUMPS_LEFT] = world.clockJumps;
    row[EVICTIONS_LEFT] = world.evictions;
    return row;
  }

  factsOf(row: Row, client: number): ClientFacts {
    return this.automaton.factsOf(row[this.layout.client(client) + GLOBAL] as number);
  }

  isQuiet(row: Row, client: number): boolean {
    return row[this.layout.client(client) + GLOBAL] === QUIET;
  }

  /** The command that the node would run next for the client. */
  nextRequest(row: Row, client: number, node: number): NodeCommand | undefined {
    return this.links.at(row[this.layout.link(client, node)] as number).requests[0];
  }

  /** Whether nodes are known to leave keys alone that hold another value than a command names. */
  get nodesCompare(): boolean {
    return this.parts.nodesCompare;
  }

  /** What was granted before this state, in words. */
  traceOf(row: Row): string {
    return this.traces.textOf(row[TRACE] as number);
  }

  /** The steps that are possible, in a fixed order. None where every client is done for good: whatever nodes still do, nobody will ever be granted anything. */
  enabled(row: Row): number[] {
    const steps: number[] = [];
    if (this.isOver(row)) return steps;
    for (let client = 0; client < this.layout.clients; client += 1) this.addClientSteps(row, client, steps);
    for (let node = 0; node < this.layout.nodes; node += 1) this.addNodeSteps(row, node, steps);
    if (this.mayTick(row)) steps.push(codeOf(CODE.tick, 0, 0));
    return steps;
  }

  /** Turns `row` into what it is after this step, which must be possible. Returns the properties that the step violates. */
  apply(row: Row, step: number): number {
    const kind = kindOf(step);
    const client = clientOf(step);
    const node = nodeOf(step);
    const at = this.layout.node(node);
    if (kind !== CODE.jump) this.happened |= 1 << kind;
    switch (kind) {
      case CODE.acquire:
        if (row[this.layout.client(client) + GLOBAL] === FRESH) row[this.layout.client(client) + START] = row[NOW] ?? 0;
        return this.enter(row, client, INPUT.acquire, 0);
      case CODE.extend:
        return this.enter(row, client, INPUT.extend, 0);
      case CODE.release:
        return this.enter(row, client, INPUT.release, 0);
      case CODE.timer:
        return this.enter(row, client, INPUT.timer, node);
      case CODE.tell:
        return this.tell(row, client, node);
      case CODE.run:
        return this.run(row, client, node);
      case CODE.tick:
        row[NOW] = (row[NOW] as number) + 1;
        for (let other = 0; other < this.layout.nodes; other += 1) this.expireIfOver(row, this.layout.node(other));
        break;
      case CODE.expire:
        vanish(row, at);
        break;
      case CODE.evict:
        row[EVICTIONS_LEFT] = (row[EVICTIONS_LEFT] as number) - 1;
        vanish(row, at);
        break;
      case CODE.crash:
        this.crash(row, at);
        break;
      case CODE.restart:
        row[STATUS + at] = 0;
        this.expireIfOver(row, at);
        break;
      case CODE.jump:
        this.jump(row, at);
        break;
      case CODE.pause:
        row[PAUSES_LEFT] = (row[PAUSES_LEFT] as number) - 1;
        row[this.layout.client(client) + FLAGS] = (row[this.layout.client(client) + FLAGS] as number) | IS_PAUSED;
        break;
      case CODE['clock-back']:
      case CODE['clock-ahead']: {
        const wall = kind === CODE['clock-back'] ? WALL_BACK : WALL_AHEAD;
        const flags = this.layout.client(client) + FLAGS;
        row[JUMPS_LEFT] = (row[JUMPS_LEFT] as number) - 1;
        row[flags] = ((row[flags] as number) & IS_PAUSED) | (wall << WALL_SHIFT);
        break;
      }
      default:
        throw new RangeError(`There is no step ${step}`);
    }
    return 0;
  }

  private isOver(row: Row): boolean {
    if (!this.nodesCompare) return false;
    for (let client = 0; client < this.layout.clients; client += 1) if (!this.isQuiet(row, client)) return false;
    return true;
  }

  private addClientSteps(row: Row, client: number, steps: number[]): void {
    const { world, layout } = this;
    const at = layout.client(client);
    const global = row[at + GLOBAL] as number;
    const since = (row[NOW] as number) - (row[at + START] as number);
    const { phase, acquires, extensions, isExtending, untilTick, timers } = this.automaton.factsOf(global);
    if (phase === 'idle' && acquires < world.cycles) steps.push(codeOf(CODE.acquire, client, 0));
    if (phase === 'holding') {
      const mayExtend = !isExtending && extensions < world.extensions && since < untilTick;
      if (mayExtend) steps.push(codeOf(CODE.extend, client, 0));
      steps.push(codeOf(CODE.release, client, 0));
    }
    for (let node = 0; node < layout.nodes; node += 1) {
      const { requests, replies } = this.links.at(row[layout.link(client, node)] as number);
      if (requests.length > 0) steps.push(codeOf(CODE.run, client, node));
      if (replies.length > 0) steps.push(codeOf(CODE.tell, client, node));
    }
    let isDue = false;
    for (let timer = 0; timer < timers.length; timer += 1) {
      if ((timers[timer] as number) > since) continue;
      isDue = true;
      steps.push(codeOf(CODE.timer, client, timer));
    }
    const flags = row[at + FLAGS] as number;
    const mayStand = isDue && (flags & IS_PAUSED) === 0 && (row[NOW] as number) < world.ticks;
    if (mayStand && (row[PAUSES_LEFT] as number) > 0) steps.push(codeOf(CODE.pause, client, 0));
    const mayHint = world.fencing && (phase === 'acquiring' || (phase === 'idle' && acquires < world.cycles));
    if (mayHint && flags >> WALL_SHIFT === 0 && (row[JUMPS_LEFT] as number) > 0) {
      steps.push(codeOf(CODE['clock-back'], client, 0), codeOf(CODE['clock-ahead'], client, 0));
    }
  }

  private addNodeSteps(row: Row, node: number, steps: number[]): void {
    const at = this.layout.node(node);
    const status = row[at + STATUS] as number;
    if (status > 0) {
      const isOver = (row[NOW] as number) >= status - 1 + this.world.ttlTicks;
      if (this.world.restart !== 'delayed' || isOver) steps.push(codeOf(CODE.restart, 0, node));
      return;
    }
    if ((row[CRASHES_LEFT] as number) > 0) steps.push(codeOf(CODE.crash, 0, node));
    if (row[at + OWNER] === NOBODY) return;
    if (row[at + EXPIRES] === row[NOW]) steps.push(codeOf(CODE.expire, 0, node));
    if ((row[JUMPS_LEFT] as number) > 0) steps.push(codeOf(CODE.jump, 0, node));
    if ((row[EVICTIONS_LEFT] as number) > 0) steps.push(codeOf(CODE.evict, 0, node));
  }

  /** Time passes once nobody who runs has a timer that is due: only a pause makes a timer late. */
  private mayTick(row: Row): boolean {
    const now = row[NOW] as number;
    if (now >= this.world.ticks) return false;
    let isIdle = true;
    for (let client = 0; client < this.layout.clients; client += 1) {
      const at = this.layout.client(client);
      if (row[at + GLOBAL] !== FRESH) isIdle = false;
      if (((row[at + FLAGS] as number) & IS_PAUSED) !== 0) continue;
      const { timers } = this.automaton.factsOf(row[at + GLOBAL] as number);
      const since = now - (row[at + START] as number);
      for (const due of timers) if (due <= since) return false;
    }
    // Before anybody has begun, it makes no difference how late it is.
    return !isIdle;
  }

  private run(row: Row, client: number, node: number): number {
    const { layout, links } = this;
    const at = layout.node(node);
    const link = layout.link(client, node);
    const command = this.nextRequest(row, client, node);
    if (command === undefined) throw new RangeError('There is nothing to run');
    if (row[at + STATUS] !== 0) {
      row[link] = links.afterRun(row[link] as number, this.replies.failed);
      return 0;
    }
    const contents = this.node;
    const before = row[at + OWNER] as number;
    const expiresBefore = row[at + EXPIRES] as number;
    contents.owner = before;
    contents.expiresTick = expiresBefore;
    contents.counter = row[at + COUNTER] as number;
    const owner = layout.owner(client, command.attempt);
    const answer = this.parts.nodeRules(contents, command, owner, row[NOW] as number, this.world.ttlTicks);
    row[at + OWNER] = contents.owner;
    row[at + EXPIRES] = contents.expiresTick;
    row[at + COUNTER] = contents.counter;
    row[link] = links.afterRun(row[link] as number, this.replies.numberOf(answer));
    const isOfHolder = command.kind === 'release' || command.kind === 'extend';
    const hasChanged = contents.owner !== before || contents.expiresTick !== expiresBefore;
    return isOfHolder && hasChanged && before !== owner ? RELEASE_SAFETY : 0;
  }

  private tell(row: Row, client: number, node: number): number {
    const [reply] = this.links.at(row[this.layout.link(client, node)] as number).replies;
    if (reply === undefined) throw new RangeError('There is nothing to tell');
    return this.enter(row, client, INPUT.reply + node, reply);
  }

  /** Something reaches a client. */
  private enter(row: Row, client: number, input: number, argument: number): number {
    const { layout, links, linkParts } = this;
    const at = layout.client(client);
    for (let node = 0; node < layout.nodes; node += 1) {
      linkParts[node] = links.at(row[layout.link(client, node)] as number).part;
    }
    const since = (row[NOW] as number) - (row[at + START] as number);
    const hint = this.world.fencing && input <= INPUT.timer ? this.hintOf(row, at) : 0;
    const global = row[at + GLOBAL] as number;
    const transition = this.automaton.step(global, linkParts, input, argument, since, hint);
    row[at + GLOBAL] = transition.global;
    row[at + FLAGS] = (row[at + FLAGS] as number) & ~IS_PAUSED;
    const told = input - INPUT.reply;
    for (let node = 0; node < layout.nodes; node += 1) {
      const place = layout.link(client, node);
      const part = transition.parts[node] as number;
      if (part === linkParts[node]) continue;
      const { replies } = links.at(row[place] as number);
      row[place] = links.link(part, node === told ? replies.slice(1) : replies);
    }
    const violated = transition.isGranted ? this.judgeGrant(row, client, since, transition) : 0;
    if (this.reductions.traced) this.traceFailure(row, this.automaton.factsOf(global), transition);
    if (transition.hasBegun && input !== INPUT.acquire) this.happened |= RETRY;
    if (transition.hasBegun) row[at + FLOOR] = this.traces.largestToken(row[TRACE] as number);
    return violated;
  }

  private hintOf(row: Row, at: number): number {
    const wall = (row[at + FLAGS] as number) >> WALL_SHIFT;
    if (wall === WALL_BACK) return 0;
    const sane = HINT_PER_TICK * ((row[NOW] as number) + 1);
    return wall === WALL_AHEAD ? FAR_AHEAD + sane : sane;
  }

  private judgeGrant(row: Row, client: number, since: number, { global }: Transition): number {
    const { untilTick, token, isExtending, extensions } = this.automaton.factsOf(global);
    const now = row[NOW] as number;
    let violated = untilTick > since ? 0 : MUTUAL_EXCLUSION;
    for (let other = 0; other < this.layout.clients; other += 1) {
      if (other === client) continue;
      const at = this.layout.client(other);
      const facts = this.automaton.factsOf(row[at + GLOBAL] as number);
      if (facts.untilTick >= 0 && now < (row[at + START] as number) + facts.untilTick) violated |= MUTUAL_EXCLUSION;
    }
    const isExtension = extensions > 0 && !isExtending;
    const before = row[TRACE] as number;
    if (this.world.fencing && !isExtension) {
      const floor = row[this.layout.client(client) + FLOOR] as number;
      if (token <= floor || this.traces.hasToken(before, token)) violated |= TOKEN_ORDER;
    }
    if (this.world.fencing || this.reductions.traced) {
      const text = `${isExtension ? 'extended' : 'granted'} at ${now} for ${untilTick - since}${faultsLeftText(row)}`;
      row[TRACE] = this.traces.after(before, isExtension ? -1 : token, text);
    }
    return violated;
  }

  /** What an extension comes to after its lock was given back is of no use to anybody, and may be forgotten. */
  private traceFailure(row: Row, { phase, failures }: ClientFacts, { global }: Transition): void {
    const facts = this.automaton.factsOf(global);
    if (phase !== 'acquiring' || facts.failures === failures) return;
    const text = `${facts.failure} at ${row[NOW] as number}${faultsLeftText(row)}`;
    row[TRACE] = this.traces.after(row[TRACE] as number, -1, text);
  }

  private crash(row: Row, at: number): void {
    row[CRASHES_LEFT] = (row[CRASHES_LEFT] as number) - 1;
    row[at + STATUS] = 1 + (this.world.restart === 'delayed' ? (row[NOW] as number) : 0);
    if (this.world.restart === 'durable') return;
    vanish(row, at);
    row[at + COUNTER] = 0;
  }

  /** For a key, the clock ahead is the same as an end that comes sooner. */
  private jump(row: Row, at: number): void {
    const expires = (row[at + EXPIRES] as number) - this.world.jumpTicks;
    row[JUMPS_LEFT] = (row[JUMPS_LEFT] as number) - 1;
    // If time is up before the key is, nobody will ever know.
    if (expires <= this.world.ticks) this.happened |= bitOf('jump');
    if (expires < (row[NOW] as number)) vanish(row, at);
    else row[at + EXPIRES] = expires;
  }

  private expireIfOver(row: Row, at: number): void {
    if (row[at + STATUS] === 0 && (row[at + EXPIRES] as number) < (row[NOW] as number)) vanish(row, at);
  }
}

/** Tells a fault that came before something from one that came after. Pauses of clients that are done are forgotten. */
function faultsLeftText(row: Row): string {
  const left = [CRASHES_LEFT, JUMPS_LEFT, EVICTIONS_LEFT].map((place) => row[place] as number);
  return left.some((count) => count > 0) ? `, faults left ${left.join(' ')}` : '';
}

function vanish(row: Row, at: number): void {
  row[at + OWNER] = NOBODY;
  row[at + EXPIRES] = 0;
}
