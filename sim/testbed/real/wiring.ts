import { RESOURCE } from '../../scenario/server-names.ts';
import { OutputError } from '../../results/output-error.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { KEY_PREFIX, restartGuardOfScenario } from '../../workload/facts.ts';
import type { WriteDecision } from '../../workload/protected-resource.ts';
import { movesNodeClocks } from './capabilities.ts';
import { ClientHandle, type ClientNews } from './client/client-handle.ts';
import { ClientLines } from './links/client-lines.ts';
import { ClientRoutes } from './links/client-routes.ts';
import { LinkDisturbances } from './links/link-disturbances.ts';
import { OBSERVER, type Proxies } from './links/proxies.ts';
import type { RunLog } from './merge/run-log.ts';
import { NodeObserver } from './observers/node-observer.ts';
import { ResourceObserver } from './observers/resource-observer.ts';
import { RealFaults } from './real-faults.ts';
import { RealNode } from './real-node.ts';
import type { RunFolder } from './run-folder.ts';
import type { RunTimers } from './run-timers.ts';
import { askedOf } from './servers/asked-of.ts';
import type { Fleet } from './servers/server-fleet.ts';

export interface WiringOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly clientNames: readonly string[];
  readonly nodeNames: readonly string[];
  readonly folder: RunFolder;
  readonly log: RunLog;
  /** Microseconds of true time since the run began. */
  readonly nowUs: () => number;
  readonly timers: RunTimers;
  /** Told when something breaks without which the run proves nothing. */
  readonly fail: (error: Error) => void;
}

/** Who has to do with the servers of a run, and how they know of each other: observers, nodes with their faults, clients; and what was heard of the latter. */
export class Wiring {
  readonly clients = new Map<string, ClientHandle>();
  readonly disturbances = new LinkDisturbances();
  /** By the number of the write: what the protected resource answered. */
  readonly writeDecisions = new Map<number, WriteDecision>();
  /** The errors that it answered instead, in its own words. */
  readonly writeErrors = new Map<number, string>();
  private readonly options: WiringOptions;
  private readonly nodes = new Map<string, RealNode>();
  private resourceObserver: ResourceObserver | null = null;
  private realFaults: RealFaults | null = null;

  constructor(options: WiringOptions) {
    this.options = options;
  }

  get faults(): RealFaults {
    if (this.realFaults === null) throw new Error('the world was not launched');
    return this.realFaults;
  }

  /** Resolves once everything that the servers do is seen. */
  async observe(fleet: Fleet, proxies: Proxies): Promise<void> {
    const { scenario, clientNames, nodeNames, log, nowUs, timers, fail } = this.options;
    const routes = new ClientRoutes({
      proxies,
      disturbances: this.disturbances,
      nowUs,
      pass: (milliseconds) => timers.pass(milliseconds),
      fail,
    });
    for (const name of nodeNames) this.nodes.set(name, this.node(name, fleet, proxies, routes));
    this.resourceObserver = new ResourceObserver({
      address: proxies.address(OBSERVER, RESOURCE),
      nowUs,
      onLost: fail,
      record: (event) => log.record(event),
    });
    this.realFaults = new RealFaults({
      log,
      scenario,
      clients: this.clients,
      clientNames,
      nodes: this.nodes,
      routes,
      lines: new ClientLines(fleet.lines),
      nowUs,
      schedule: (delayMs, run) => timers.schedule(delayMs, run),
      fail,
    });
    await Promise.all(this.observers().map(({ connection }) => connection.open()));
    await Promise.all([...this.nodes.values()].map((node) => node.getToKnow()));
  }

  /** Resolves once the servers vote, if a restart guard keeps them from it. Their replicas follow already: with the first, a primary begins a new history. */
  async admit(): Promise<void> {
    const guard = restartGuardOfScenario(this.options.scenario);
    if (guard === null) return;
    await Promise.all([...this.nodes.values()].map(({ name, observer }) => askedOf(name, () => observer.admit(guard))));
  }

  /** Resolves once all clients are connected to all servers. */
  async startClients(program: string, proxies: Proxies): Promise<void> {
    await Promise.all(this.options.clientNames.map((name, place) => this.startClient(name, place, program, proxies)));
  }

  /** Resolves once everything that the servers did by now is seen. */
  async catchUp(): Promise<void> {
    await Promise.all(this.observers().map(({ connection }) => connection.catchUp()));
  }

  /** Resolves to where the protected resource has stored something else than it was seen to, in a sentence; null if nowhere. */
  async findResourceMismatch(): Promise<string | null> {
    return (await this.resourceObserver?.findMismatch()) ?? null;
  }

  /** Ends the clients, and looks no more. */
  async close(): Promise<void> {
    for (const { connection } of this.observers()) connection.close();
    await Promise.all([...this.clients.values()].map((client) => client.close()));
  }

  private node(name: string, fleet: Fleet, proxies: Proxies, routes: ClientRoutes): RealNode {
    const { scenario, clientNames, log, nowUs, timers, fail } = this.options;
    const server = fleet.servers.get(name);
    if (server === undefined) throw new Error(`the fleet has no server ${name}`);
    const observer = new NodeObserver({
      node: name,
      address: proxies.address(OBSERVER, name),
      keyPrefix: KEY_PREFIX,
      nowUs,
      hasSteadyClock: !movesNodeClocks(scenario),
      onExecuted: (execution) => log.recordExecution(execution),
      onKeyLost: (event) => log.record(event),
      onLost: fail,
    });
    return new RealNode({
      observer,
      server,
      replica: fleet.replicas.get(name) ?? null,
      clients: clientNames,
      proxies,
      routes,
      log,
      settings: scenario.nodes,
      nowUs,
      schedule: (delayMs, run) => timers.schedule(delayMs, run),
      fail,
      onHeldUp: () => this.realFaults?.noteHeldUp(),
    });
  }

  private async startClient(name: string, place: number, program: string, proxies: Proxies): Promise<void> {
    const { scenario, seed, clientNames, nodeNames, folder, fail } = this.options;
    const clock = scenario.clients[name];
    if (clock === undefined) throw new Error(`the scenario has no client ${name}`);
    const client = new ClientHandle(name, program, { onNews: (news) => this.hear(name, news), onDeath: fail });
    this.clients.set(name, client);
    await client.configure({
      name,
      place,
      clientCount: clientNames.length,
      seed,
      historyFile: folder.clientPart(name),
      clock,
      settings: scenario.settings,
      keyPrefix: KEY_PREFIX,
      nodes: Object.fromEntries(nodeNames.map((node) => [node, proxies.address(name, node)])),
      resource: proxies.address(name, RESOURCE),
    });
  }

  private hear(client: string, news: ClientNews): void {
    if (news.type === 'event') this.options.log.hear(news.event);
    else if (news.type === 'write-answered') this.writeDecisions.set(news.write, news.reply);
    else if (news.type === 'write-failed') this.writeErrors.set(news.write, news.error);
    else if (news.type === 'output-failed') {
      this.options.fail(new OutputError(this.options.folder.clientPart(client), news.problem));
    } else this.realFaults?.noteLease({ client, key: news.key, value: news.value });
  }

  private observers(): (NodeObserver | ResourceObserver)[] {
    const nodes = [...this.nodes.values()].map(({ observer }) => observer);
    return this.resourceObserver === null ? nodes : [...nodes, this.resourceObserver];
  }
}
