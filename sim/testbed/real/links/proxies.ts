import { type Proxy, Toxiproxy, type ToxicType } from 'toxiproxy-node-client';
import type { Address } from '../address.ts';
import { RunLostError } from '../../testbed-error.ts';
import { within } from '../deadline.ts';
import type { Fleet } from '../servers/server-fleet.ts';
import { routeName } from './route-name.ts';
import { replicaOf } from '../servers/server-requests.ts';

/** Toxiproxy needs some milliseconds. */
const ANSWER_WITHIN_MS = 10_000;

export type Stream = 'upstream' | 'downstream';

/** A toxic of Toxiproxy, by its type and its attributes. */
export interface ToxicSettings {
  readonly type: ToxicType;
  readonly attributes: Readonly<Record<string, number>>;
}

/** Who watches the servers: its routes have no faults. No client can be called so, nor like a replica. */
export const OBSERVER = '_observer';

/** One route through Toxiproxy, from one end to one server. */
interface Route {
  readonly proxy: Proxy;
  readonly number: number;
  upstream: string;
}

/** How many proxies a run needs. */
export function proxyCount(clientCount: number, serverCount: number, replicaCount: number): number {
  return (clientCount + 1) * serverCount + 2 * replicaCount;
}

/**
 * The proxies of a run: one for each client and server; one for each server and replica that the run itself looks at; and one for
 * each replica to follow its primary.
 */
export class Proxies {
  private readonly fleet: Fleet;
  private readonly routes = new Map<string, Route>();
  private toxics = 0;

  private constructor(fleet: Fleet) {
    this.fleet = fleet;
  }

  /** Makes all proxies in one call: made one by one, side by side, they race. */
  static async create(fleet: Fleet, clients: readonly string[]): Promise<Proxies> {
    const proxies = new Proxies(fleet);
    const ends = [...routesOf(fleet, clients)];
    const created = await answered(
      new Toxiproxy(fleet.toxiproxyUrl).populate(
        ends.map(({ name, upstream }, number) => ({
          name,
          listen: fleet.proxyListen(number),
          upstream,
          enabled: true,
        })),
      ),
    );
    const byName = new Map(Object.values(created).map((proxy) => [proxy.name, proxy]));
    ends.forEach(({ name, upstream }, number) => {
      const proxy = byName.get(name);
      if (proxy === undefined) throw new Error(`Toxiproxy did not make the proxy ${name}`);
      proxies.routes.set(name, { proxy, number, upstream });
    });
    return proxies;
  }

  /** Where a process of this host reaches the server: clients by their line to it, if it has one. */
  address(from: string, server: string): Address {
    const { number, proxy } = this.find(from, server);
    const address = this.fleet.proxyAddress(number, proxy.listen);
    const line = from === OBSERVER ? undefined : this.fleet.lines.get(server);
    return line === undefined ? address : { host: line.host, port: address.port };
  }

  /** Where a server of the fleet reaches another one. */
  addressForServers(from: string, server: string): Address {
    const { number, proxy } = this.find(from, server);
    return this.fleet.proxyAddressForServers(number, proxy.listen);
  }

  /** Adds the toxic to the route, and sees to it that Toxiproxy has it; resolves to what removes it again. */
  async addToxic(from: string, server: string, stream: Stream, settings: ToxicSettings): Promise<() => Promise<void>> {
    this.toxics += 1;
    const { proxy } = this.find(from, server);
    const name = `toxic-${this.toxics}`;
    const { type, attributes } = settings;
    await answered(proxy.addToxic({ name, type, stream, toxicity: 1, attributes }));
    const toxic = await answered(proxy.getToxic(name));
    return () => answered(toxic.remove());
  }

  /** Opens the route, or closes it: its listener and all its connections. */
  async setEnabled(from: string, server: string, enabled: boolean): Promise<void> {
    const { proxy, upstream } = this.find(from, server);
    await answered(proxy.update({ enabled, listen: proxy.listen, upstream }));
  }

  /** From the next time on that they are opened, the routes to the node lead to its replica. */
  redirectToReplica(node: string): void {
    const upstream = this.fleet.replicas.get(node)?.upstream;
    if (upstream === undefined) throw new Error(`${node} has no replica`);
    for (const [name, route] of this.routes) if (name.endsWith(routeName('', node))) route.upstream = upstream;
  }

  private find(from: string, server: string): Route {
    const route = this.routes.get(routeName(from, server));
    if (route === undefined) throw new Error(`there is no route from ${from} to ${server}`);
    return route;
  }
}

/** A Toxiproxy that hangs must not hold up the run for good. */
function answered<Answer>(request: Promise<Answer>): Promise<Answer> {
  return within(
    ANSWER_WITHIN_MS,
    request,
    () => new RunLostError(`Toxiproxy has not answered within ${ANSWER_WITHIN_MS / 1000} s: it hangs`),
  );
}

function* routesOf(
  fleet: Fleet,
  clients: readonly string[],
): Generator<{ readonly name: string; readonly upstream: string }> {
  for (const from of [...clients, OBSERVER]) {
    for (const [server, { upstream }] of fleet.servers) yield { name: routeName(from, server), upstream };
  }
  for (const [node, { upstream }] of fleet.replicas) {
    yield { name: routeName(OBSERVER, replicaOf(node)), upstream };
    yield { name: routeName(replicaOf(node), node), upstream: fleet.servers.get(node)?.upstream ?? '' };
  }
}
