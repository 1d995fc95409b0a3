import type { AimedFault, FaultWorld, Heal } from '../../faults/nemesis.ts';
import { type KnownLease, NewestLeases } from '../../faults/newest-leases.ts';
import { linksOutside } from '../../faults/partition-shapes.ts';
import { RESOURCE } from '../../scenario/server-names.ts';
import type { ObservedLog } from '../../history/observed-log.ts';
import type { Fault } from '../../scenario/fault-schema.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { isSilent } from './capabilities.ts';
import type { ClientHandle } from './client/client-handle.ts';
import type { ClientLines } from './links/client-lines.ts';
import type { ClientRoutes } from './links/client-routes.ts';
import { ClockRates } from './clock-rates.ts';
import { type LinkEffect, linkEffect } from './links/link-toxics.ts';
import type { RealNode } from './real-node.ts';

interface Link {
  readonly client: string;
  readonly node: string;
}

/** The parts of the real world that faults act on. */
export interface RealFaultTargets {
  readonly log: ObservedLog;
  readonly scenario: Scenario;
  readonly clientNames: readonly string[];
  /** By name; only once they run. */
  readonly clients: ReadonlyMap<string, ClientHandle>;
  readonly nodes: ReadonlyMap<string, RealNode>;
  readonly routes: ClientRoutes;
  readonly lines: ClientLines;
  nowUs(): number;
  schedule(delayMs: number, run: () => void): void;
  fail(error: Error): void;
}

/** Makes faults happen to real processes, and calls each begun only when it was seen to be in force. */
export class RealFaults implements FaultWorld {
  readonly clients: readonly string[];
  readonly nodes: readonly string[];
  readonly log: ObservedLog;
  /** Resolves the first time that a fault cannot come into force, or be healed, until somebody who stands still goes on. */
  readonly heldUp: Promise<void>;
  private readonly targets: RealFaultTargets;
  private readonly clientRates: ReadonlyMap<string, ClockRates>;
  private readonly leases = new NewestLeases();
  private holdUp: () => void = () => undefined;

  constructor(targets: RealFaultTargets) {
    this.targets = targets;
    this.clients = targets.clientNames;
    this.nodes = [...targets.nodes.keys()];
    this.log = targets.log;
    this.heldUp = new Promise((resolve) => (this.holdUp = resolve));
    this.clientRates = new Map(
      this.clients.map((name) => [name, new ClockRates(targets.scenario.clients[name]?.rate ?? 1)]),
    );
  }

  timeUs(): number {
    return this.targets.nowUs();
  }

  schedule(delayMs: number, run: () => void): void {
    this.targets.schedule(delayMs, run);
  }

  fail(error: Error): void {
    this.targets.fail(error);
  }

  /** Something that is to be done to a node or a client waits for it to go on. */
  noteHeldUp(): void {
    this.holdUp();
  }

  noteLease(lease: KnownLease): void {
    this.leases.note(lease);
  }

  newestLease(client?: string): KnownLease | null {
    return this.leases.newest(client);
  }

  holds(node: string, key: string, value: string): boolean {
    return this.targets.nodes.get(node)?.holds(key, value) ?? false;
  }

  async inject(aimed: AimedFault, begun: (nodes: readonly string[]) => void): Promise<Heal | null> {
    const missed = new Set<string>();
    const heal = await this.bringAbout(aimed, missed);
    begun(aimed.nodes.filter((node) => !missed.has(node)));
    return heal;
  }

  /** Adds to `missed` the nodes that do not run, if the fault can do nothing to such ones. */
  private async bringAbout(aimed: AimedFault, missed: Set<string>): Promise<Heal | null> {
    const { fault, number } = aimed;
    const { routes } = this.targets;
    const nodes = this.nodesOf(aimed);
    const strike = (act: (node: RealNode) => Promise<boolean>): Promise<void> =>
      all(nodes, async (node) => {
        if (!(await act(node))) missed.add(node.name);
      });
    const clients = aimed.clients.map((name) => this.targets.clients.get(name) as ClientHandle);
    switch (fault.fault) {
      case 'partition':
        return this.partition(aimed, fault);
      case 'loss':
      case 'latency':
      case 'bandwidth':
      case 'limit-data':
      case 'slicer':
        return this.poison(this.linksOf(aimed), linkEffect(fault), number);
      case 'partition-shape':
        return this.poison(linksOutside(fault.shape, this.clients, this.nodes), linkEffect(fault), number);
      case 'slow-close':
        return this.onLinks(this.linksOf(aimed), (client, node) => routes.slowClosing(client, node, fault.delay));
      case 'reset':
        for (const node of nodes) if (!node.isUp) missed.add(node.name);
        await all(this.linksOf(aimed), async ({ client, node }) => {
          if (!missed.has(node)) await routes.reset(client, node, number);
        });
        return null;
      case 'clock-jump':
        await all(nodes, (node) => node.jumpClock(fault.by));
        return null;
      case 'clock-drift':
        await all(nodes, (node) => node.drift(number, fault.rate));
        return () => all(nodes, (node) => node.endDrift(number));
      case 'clock-strobe':
        return this.strobe(nodes, fault.by, fault.every);
      case 'client-clock-jump':
        await all(clients, (client) => this.ask(client, () => client.jumpWallClock(fault.by)));
        return null;
      case 'client-clock-drift':
        await all(clients, (client) => this.drift(client, (rates) => rates.begin(number, fault.rate)));
        return () => all(clients, (client) => this.drift(client, (rates) => rates.end(number)));
      case 'client-pause':
        await all(clients, async (client) => {
          if (await client.pause(number)) this.recordClient('client-paused', client, this.timeUs());
        });
        return () =>
          all(clients, async (client) => {
            // It may do things before it was seen to run.
            const timeUs = this.timeUs();
            if (await client.resume(number)) this.recordClient('client-resumed', client, timeUs);
          });
      case 'server-pause':
        await strike((node) => node.pause(number));
        return () => all(nodes, (node) => node.resume(number));
      case 'crash':
        await strike((node) => node.crash(fault.how, number));
        return () => all(nodes, (node) => node.restart(number));
      case 'eviction':
        await strike((node) => node.pressMemory(number));
        return () => all(nodes, (node) => node.relieveMemory(number));
      case 'flush':
        await strike((node) => node.flush());
        return null;
      case 'promotion':
        await strike((node) => node.promote(number));
        return null;
    }
  }

  private linksOf({ clients, nodes }: AimedFault): Link[] {
    return clients.flatMap((client) => nodes.map((node) => ({ client, node })));
  }

  private nodesOf({ nodes }: AimedFault): RealNode[] {
    return nodes.filter((name) => name !== RESOURCE).map((name) => this.targets.nodes.get(name) as RealNode);
  }

  /** Where all clients are cut off from a node, its line is unplugged too, if it has one: that connections break is then seen only when it is plugged again. */
  private async partition(aimed: AimedFault, fault: Extract<Fault, { fault: 'partition' }>): Promise<Heal> {
    const { number } = aimed;
    const { lines } = this.targets;
    const heal = await this.poison(this.linksOf(aimed), linkEffect(fault), number);
    const silenced = isSilent(fault, aimed.clients, this.clients) ? aimed.nodes : [];
    await all(silenced, (node) => lines.unplug(node, number));
    return async () => {
      await all(silenced, (node) => lines.plug(node, number));
      await heal();
    };
  }

  private poison(links: readonly Link[], effect: LinkEffect, number: number): Promise<Heal> {
    return this.onLinks(links, (client, node) => this.targets.routes.poison(client, node, effect, number));
  }

  private async onLinks(
    links: readonly Link[],
    begin: (client: string, node: string) => Promise<() => Promise<void>>,
  ): Promise<Heal> {
    const ends = await Promise.all(links.map(({ client, node }) => begin(client, node)));
    return () => all(ends, (end) => end());
  }

  private async drift(client: ClientHandle, change: (rates: ClockRates) => void): Promise<void> {
    const rates = this.clientRates.get(client.name) as ClockRates;
    change(rates);
    await this.ask(client, () => client.setClockRate(rates.rate));
  }

  /** Does what needs an answer of the client. One that is paused gives it when it goes on. */
  private async ask(client: ClientHandle, question: () => Promise<unknown>): Promise<void> {
    if (client.isPaused) this.noteHeldUp();
    await question();
  }

  /** Each node by itself: one that stands still holds up no other. */
  private async strobe(nodes: readonly RealNode[], byMs: number, everyMs: number): Promise<Heal> {
    const ends = await Promise.all(nodes.map((node) => this.strobeOne(node, byMs, everyMs)));
    return () => all(ends, (end) => end());
  }

  private async strobeOne(node: RealNode, byMs: number, everyMs: number): Promise<() => Promise<void>> {
    let isOff = false;
    let isHealed = false;
    let flipping: Promise<void> = Promise.resolve();
    const flip = (): void => {
      if (isHealed) return;
      flipping = node.jumpClock(isOff ? -byMs : byMs).then(() => {
        isOff = !isOff;
        this.schedule(everyMs, flip);
      });
      flipping.catch((error: unknown) => {
        this.fail(error as Error);
      });
    };
    flip();
    await flipping;
    return async () => {
      isHealed = true;
      await flipping;
      if (isOff) await node.jumpClock(-byMs);
    };
  }

  private recordClient(type: 'client-paused' | 'client-resumed', { name }: ClientHandle, timeUs: number): void {
    this.log.record({ type, timeUs, client: name });
  }
}

async function all<Item>(items: readonly Item[], act: (item: Item) => Promise<unknown>): Promise<void> {
  await Promise.all(items.map(act));
}
