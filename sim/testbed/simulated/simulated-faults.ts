import type { AimedFault, FaultWorld } from '../../faults/nemesis.ts';
import { type KnownLease, NewestLeases } from '../../faults/newest-leases.ts';
import { linksOutside, type PartitionShape } from '../../faults/partition-shapes.ts';
import { needsRunningNode } from '../../faults/running-nodes.ts';
import { RESOURCE } from '../../scenario/server-names.ts';
import type { ObservedLog } from '../../history/observed-log.ts';
import type { Fault } from '../../scenario/fault-schema.ts';
import type { Direction, Link } from './link.ts';
import type { RandomStream } from '../random-streams.ts';
import { closeAfter, drop, dropSome, limitBandwidth, type Rule, slice, slowDown } from './rules.ts';
import type { SimulatedClient } from './simulated-client.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { Simulation } from './simulation.ts';

type AnyLink = Link<never, never>;
/** The parts of the simulated world that faults act on. */
export interface FaultTargets {
  readonly simulation: Simulation;
  readonly log: ObservedLog;
  /** Chance for a fault that draws, by its number. */
  random(fault: number): RandomStream;
  readonly clients: ReadonlyMap<string, SimulatedClient>;
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  /** The link of a client to a node, or to the protected resource. */
  link(client: string, server: string): AnyLink;
}

/** Makes faults happen in the simulated world. */
export class SimulatedFaults implements FaultWorld {
  readonly clients: readonly string[];
  readonly nodes: readonly string[];
  readonly log: ObservedLog;
  private readonly targets: FaultTargets;
  private readonly leases = new NewestLeases();

  constructor(targets: FaultTargets) {
    this.targets = targets;
    this.clients = [...targets.clients.keys()];
    this.nodes = [...targets.nodes.keys()];
    this.log = targets.log;
  }

  timeUs(): number {
    return this.targets.simulation.nowUs;
  }

  schedule(delayMs: number, run: () => void): void {
    this.targets.simulation.schedule(delayMs * 1000, callNow, run);
  }

  noteLease(lease: KnownLease): void {
    this.leases.note(lease);
  }

  newestLease(client?: string): KnownLease | null {
    return this.leases.newest(client);
  }

  holds(node: string, key: string, value: string): boolean {
    return this.nodeOf(node).holds(key, value);
  }

  inject(aimed: AimedFault, begun: (nodes: readonly string[]) => void): (() => void) | null {
    const nodes = aimed.nodes.filter((name) => this.canActOn(name, aimed.fault));
    begun(nodes);
    return this.bringAbout({ ...aimed, nodes });
  }

  fail(error: Error): void {
    throw error;
  }

  private canActOn(server: string, fault: Fault): boolean {
    return server === RESOURCE || !needsRunningNode(fault) || this.nodeOf(server).isUp;
  }

  private bringAbout(aimed: AimedFault): (() => void) | null {
    const { fault, number } = aimed;
    const { simulation } = this.targets;
    switch (fault.fault) {
      case 'partition':
        return this.cut(this.linksOf(aimed), fault.direction, () => drop(number), number);
      case 'partition-shape':
        return this.cut(this.linksOutside(fault.shape), 'both', () => drop(number), number);
      case 'loss': {
        const random = this.targets.random(number);
        return this.cut(
          this.linksOf(aimed),
          fault.direction,
          () => dropSome(number, fault.command, fault.count, fault.probability, random),
          number,
        );
      }
      case 'latency': {
        const random = this.targets.random(number);
        return this.addRules(this.linksOf(aimed), fault.direction, () => slowDown(number, fault.delay, random));
      }
      case 'bandwidth':
        return this.addRules(this.linksOf(aimed), fault.direction, () =>
          limitBandwidth(number, fault.bytesPerSecond, simulation),
        );
      case 'limit-data':
        return this.addRules(this.linksOf(aimed), fault.direction, () => closeAfter(number, fault.bytes));
      case 'slicer':
        return this.addRules(this.linksOf(aimed), fault.direction, () => slice(number, fault.bytes, fault.delay));
      case 'reset':
        for (const link of this.linksOf(aimed)) link.reset(number);
        return null;
      case 'slow-close': {
        const links = this.linksOf(aimed);
        for (const link of links) link.closeDelayUs += fault.delay * 1000;
        return () => {
          for (const link of links) link.closeDelayUs -= fault.delay * 1000;
        };
      }
      case 'clock-jump':
        for (const node of this.nodesOf(aimed)) node.jumpClock(fault.by);
        return null;
      case 'clock-drift': {
        const nodes = this.nodesOf(aimed);
        for (const node of nodes) node.drift(number, fault.rate);
        return () => {
          for (const node of nodes) node.endDrift(number);
        };
      }
      case 'clock-strobe':
        return this.strobe(this.nodesOf(aimed), fault.by, fault.every);
      case 'client-clock-jump':
        for (const client of this.clientsOf(aimed)) client.jumpWallClock(fault.by);
        return null;
      case 'client-clock-drift': {
        const clients = this.clientsOf(aimed);
        for (const client of clients) client.drift(number, fault.rate);
        return () => {
          for (const client of clients) client.endDrift(number);
        };
      }
      case 'client-pause': {
        const clients = this.clientsOf(aimed);
        for (const client of clients) client.pause(number);
        return () => {
          for (const client of clients) client.resume(number);
        };
      }
      case 'server-pause': {
        const nodes = this.nodesOf(aimed);
        for (const node of nodes) node.pause(number);
        return () => {
          for (const node of nodes) node.resume(number);
        };
      }
      case 'crash': {
        const nodes = this.nodesOf(aimed);
        for (const node of nodes) node.crash(fault.how, number);
        return () => {
          for (const node of nodes) node.restart(number);
        };
      }
      case 'eviction': {
        const nodes = this.nodesOf(aimed);
        const random = this.targets.random(number);
        const draw = (): number => random.fraction();
        for (const node of nodes) node.pressMemory(fault.keys ?? Number.POSITIVE_INFINITY, draw, number);
        return () => {
          for (const node of nodes) node.relieveMemory(number);
        };
      }
      case 'flush':
        for (const node of this.nodesOf(aimed)) node.flush();
        return null;
      case 'promotion': {
        const sinceUs = simulation.nowUs - fault.lag * 1000;
        for (const node of this.nodesOf(aimed)) node.promote(sinceUs, number);
        return null;
      }
    }
  }

  private clientsOf({ clients }: AimedFault): SimulatedClient[] {
    return clients.map((name) => this.targets.clients.get(name) as SimulatedClient);
  }

  private nodesOf({ nodes }: AimedFault): SimulatedNode[] {
    return nodes.filter((name) => name !== RESOURCE).map((name) => this.nodeOf(name));
  }

  private nodeOf(name: string): SimulatedNode {
    return this.targets.nodes.get(name) as SimulatedNode;
  }

  private linksOf({ clients, nodes }: AimedFault): AnyLink[] {
    return clients.flatMap((client) => nodes.map((node) => this.targets.link(client, node)));
  }

  private linksOutside(shape: PartitionShape): AnyLink[] {
    return linksOutside(shape, this.clients, this.nodes).map(({ client, node }) => this.targets.link(client, node));
  }

  /** A rule that drops messages leaves gaps in the streams of the connections: they cannot go on when it is healed, and break. */
  private cut(
    links: readonly AnyLink[],
    direction: Direction | 'both',
    makeRule: () => Rule,
    number: number,
  ): () => void {
    const undo = this.addRules(links, direction, makeRule);
    return () => {
      undo();
      for (const link of links) link.reset(number);
    };
  }

  private addRules(links: readonly AnyLink[], direction: Direction | 'both', makeRule: () => Rule): () => void {
    const added = links.flatMap((link) => {
      const lists = direction === 'both' ? [link.requestRules, link.replyRules] : [link[`${direction}Rules`]];
      return lists.map((rules) => {
        const rule = makeRule();
        rules.push(rule);
        return { rules, rule };
      });
    });
    return () => {
      for (const { rules, rule } of added) rules.splice(rules.indexOf(rule), 1);
    };
  }

  private strobe(nodes: readonly SimulatedNode[], byMs: number, everyMs: number): () => void {
    let isOff = false;
    let isHealed = false;
    const flip = (): void => {
      if (isHealed) return;
      for (const node of nodes) node.jumpClock(isOff ? -byMs : byMs);
      isOff = !isOff;
      this.schedule(everyMs, flip);
    };
    flip();
    return () => {
      isHealed = true;
      if (isOff) for (const node of nodes) node.jumpClock(-byMs);
    };
  }
}

function callNow(run: () => void): void {
  run();
}
