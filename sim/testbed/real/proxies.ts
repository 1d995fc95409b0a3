import { type Proxy, Toxiproxy, type ToxicType } from 'toxiproxy-node-client';
import type { Address } from './client-messages.ts';
import type { Fleet } from './server-fleet.ts';

export type Stream = 'upstream' | 'downstream';

/** A toxic of Toxiproxy, by its type and its attributes. */
export interface ToxicSettings {
  readonly type: ToxicType;
  readonly attributes: Readonly<Record<string, number>>;
}

/** One route through Toxiproxy: from one client, or from the run itself, to one server. */
export interface Route {
  readonly from: string;
  readonly server: string;
  readonly address: Address;
}

/** Who watches the servers: its routes have no faults. */
export const OBSERVER = 'observer';

/** The proxies of a run: one for each client and server, and one for each server that the run itself uses. */
export class Proxies {
  private readonly fleet: Fleet;
  private readonly routes = new Map<string, { readonly route: Route; readonly proxy: Proxy }>();
  private toxics = 0;

  private constructor(fleet: Fleet) {
    this.fleet = fleet;
  }

  /** Makes all proxies in one call: made one by one, side by side, they race. */
  static async create(fleet: Fleet, clients: readonly string[], servers: readonly string[]): Promise<Proxies> {
    const proxies = new Proxies(fleet);
    const ends = [...clients, OBSERVER].flatMap((from) => servers.map((server) => ({ from, server })));
    const toxiproxy = new Toxiproxy(fleet.toxiproxyUrl);
    const created = await toxiproxy.populate(
      ends.map(({ from, server }, number) => ({
        name: nameOf(from, server),
        listen: fleet.proxyListen(number),
        upstream: fleet.servers.get(server)?.upstream ?? '',
        enabled: true,
      })),
    );
    const byName = new Map(Object.values(created).map((proxy) => [proxy.name, proxy]));
    ends.forEach(({ from, server }, number) => {
      const name = nameOf(from, server);
      const proxy = byName.get(name);
      if (proxy === undefined) throw new Error(`Toxiproxy did not make the proxy ${name}`);
      proxies.routes.set(name, { proxy, route: { from, server, address: fleet.proxyAddress(number, proxy.listen) } });
    });
    return proxies;
  }

  address(from: string, server: string): Address {
    return this.find(from, server).route.address;
  }

  /** Adds the toxic to the route, and sees to it that Toxiproxy has it; resolves to what removes it again. */
  async addToxic(from: string, server: string, stream: Stream, settings: ToxicSettings): Promise<() => Promise<void>> {
    this.toxics += 1;
    const { proxy } = this.find(from, server);
    const name = `toxic-${this.toxics}`;
    await proxy.addToxic({ name, type: settings.type, stream, toxicity: 1, attributes: settings.attributes });
    const toxic = await proxy.getToxic(name);
    return () => toxic.remove();
  }

  /** Closes the connections of the route at once; new ones can be made. */
  async reset(from: string, server: string): Promise<void> {
    await this.setEnabled(from, server, false);
    await this.setEnabled(from, server, true);
  }

  /** Opens the route, or closes it: its listener and all its connections. */
  async setEnabled(from: string, server: string, enabled: boolean): Promise<void> {
    const { proxy } = this.find(from, server);
    await proxy.update({ enabled, listen: proxy.listen, upstream: this.upstreamOf(server) });
  }

  /** From now on the routes to `server` lead to another one; their connections are closed. */
  redirect(server: string, upstream: string): void {
    this.redirected.set(server, upstream);
  }

  private readonly redirected = new Map<string, string>();

  private upstreamOf(server: string): string {
    return this.redirected.get(server) ?? this.fleet.servers.get(server)?.upstream ?? '';
  }

  private find(from: string, server: string): { readonly route: Route; readonly proxy: Proxy } {
    const found = this.routes.get(nameOf(from, server));
    if (found === undefined) throw new Error(`there is no route from ${from} to ${server}`);
    return found;
  }
}

function nameOf(from: string, server: string): string {
  return `${from}-to-${server}`;
}
