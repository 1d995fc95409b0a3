import type { AimedFault, FaultWorld, Heal } from '../../faults/nemesis.ts';
import { linksOutside } from '../../faults/partition-shapes.ts';
import { RESOURCE } from '../../faults/targets.ts';
import type { ObservedLog } from '../../history/observed-log.ts';
import type { Scenario } from '../../scenario/schema.ts';
import type { ClientHandle } from './client-handle.ts';
import type { LinkFaults } from './link-faults.ts';
import { linkEffect } from './link-toxics.ts';
import type { Proxies } from './proxies.ts';
import type { RealNode } from './real-node.ts';

interface Lease {
  readonly client: string;
  readonly key: string;
  readonly value: string;
}

/** The parts of the real world that faults act on. */
export interface RealFaultTargets {
  readonly log: ObservedLog;
  readonly scenario: Scenario;
  readonly clients: ReadonlyMap<string, ClientHandle>;
  readonly nodes: ReadonlyMap<string, RealNode>;
  readonly proxies: Proxies;
  readonly linkFaults: LinkFaults;
  nowUs(): number;
  schedule(delayMs: number, run: () => void): void;
  fail(error: Error): void;
}

/** Makes faults happen to real processes, and calls each begun only when it was seen to be in force. */
export class RealFaults implements FaultWorld {
  readonly clients: readonly string[];
  readonly nodes: readonly string[];
  readonly log: ObservedLog;
  private readonly targets: RealFaultTargets;
  private readonly leases = new Map<string, Lease>();
  private lastLease: Lease | null = null;

  constructor(targets: RealFaultTargets) {
    this.targets = targets;
    this.clients = [...targets.clients.keys()];
    this.nodes = [...targets.nodes.keys()];
    this.log = targets.log;
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

  noteLease(lease: Lease): void {
    this.leases.set(lease.client, lease);
    this.lastLease = lease;
  }

  newestLease(client?: string): Lease | null {
    return client === undefined ? this.lastLease : (this.leases.get(client) ?? null);
  }

  holds(node: string, key: string, value: string): boolean {
    return this.targets.nodes.get(node)?.holds(key, value) ?? false;
  }

  async inject(aimed: AimedFault, begun: () => void): Promise<Heal | null> {
    const heal = await this.bringAbout(aimed);
    begun();
    return heal;
  }

  private async bringAbout(aimed: AimedFault): Promise<Heal | null> {
    const { fault, number } = aimed;
    const nodes = aimed.nodes
      .filter((name) => name !== RESOURCE)
      .map((name) => this.targets.nodes.get(name) as RealNode);
    const clients = aimed.clients.map((name) => this.targets.clients.get(name) as ClientHandle);
    switch (fault.fault) {
      case 'partition':
      case 'loss':
      case 'latency':
      case 'bandwidth':
      case 'slow-close':
      case 'limit-data':
      case 'slicer':
        return this.poison(this.linksOf(aimed), linkEffect(fault), number);
      case 'partition-shape':
        return this.poison(linksOutside(fault.shape, this.clients, this.nodes), linkEffect(fault), number);
      case 'reset':
        await all(this.linksOf(aimed), ({ client, node }) => this.targets.proxies.reset(client, node));
        return null;
      case 'clock-jump':
        await all(nodes, (node) => node.changeClock(fault.by, node.clockRate));
        return null;
      case 'clock-drift':
        await all(nodes, (node) => node.changeClock(0, fault.rate));
        return () => all(nodes, (node) => node.changeClock(0, 1));
      case 'clock-strobe':
        return this.strobe(nodes, fault.by, fault.every);
      case 'client-clock-jump':
        await all(clients, (client) => client.jumpWallClock(fault.by));
        return null;
      case 'client-clock-drift':
        await all(clients, (client) => client.setClockRate(fault.rate));
        return () =>
          all(clients, (client) => client.setClockRate(this.targets.scenario.clients[client.name]?.rate ?? 1));
      case 'client-pause':
        await all(clients, async (client) => {
          if (await client.pause(number)) this.recordClient('client-paused', client);
        });
        return () =>
          all(clients, async (client) => {
            if (await client.resume(number)) this.recordClient('client-resumed', client);
          });
      case 'server-pause':
        await all(nodes, (node) => node.pause(number));
        return () => all(nodes, (node) => node.resume(number));
      case 'crash':
        await all(nodes, (node) => node.crash(fault.how, number));
        return () => all(nodes, (node) => node.restart(number));
      case 'eviction':
        await all(nodes, (node) => node.pressMemory(this.targets.scenario.nodes.maxmemoryPolicy));
        return () => all(nodes, (node) => node.relieve());
      case 'flush':
        await all(nodes, (node) => node.flush());
        return null;
      case 'promotion':
        await all(nodes, (node) => node.promote());
        return null;
    }
  }

  private linksOf({ clients, nodes }: AimedFault): { readonly client: string; readonly node: string }[] {
    return clients.flatMap((client) => nodes.map((node) => ({ client, node })));
  }

  private async poison(
    links: readonly { readonly client: string; readonly node: string }[],
    { toxic, directions, effect }: ReturnType<typeof linkEffect>,
    number: number,
  ): Promise<Heal> {
    const { proxies, linkFaults } = this.targets;
    const added = await Promise.all(
      links.flatMap(({ client, node }) =>
        directions.map(async (direction) => {
          const fromUs = this.timeUs();
          const remove = await proxies.addToxic(
            client,
            node,
            direction === 'request' ? 'upstream' : 'downstream',
            toxic,
          );
          return {
            remove,
            fault: linkFaults.begin({ fault: number, client, server: node, direction, effect, fromUs }),
          };
        }),
      ),
    );
    return () =>
      all(added, async ({ remove, fault }) => {
        await remove();
        fault.untilUs = this.timeUs();
      });
  }

  private async strobe(nodes: readonly RealNode[], byMs: number, everyMs: number): Promise<Heal> {
    let isOff = false;
    let isHealed = false;
    let flipping: Promise<void> = Promise.resolve();
    const flip = (): void => {
      if (isHealed) return;
      flipping = all(nodes, (node) => node.changeClock(isOff ? -byMs : byMs, node.clockRate)).then(() => {
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
      if (isOff) await all(nodes, (node) => node.changeClock(-byMs, node.clockRate));
    };
  }

  private recordClient(type: 'client-paused' | 'client-resumed', { name }: ClientHandle): void {
    this.log.record({ type, timeUs: this.timeUs(), client: name });
  }
}

async function all<Item>(items: readonly Item[], act: (item: Item) => Promise<unknown>): Promise<void> {
  await Promise.all(items.map(act));
}
