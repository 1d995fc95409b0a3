import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RESOURCE } from '../../faults/targets.ts';
import type { History } from '../../history/history.ts';
import { HistoryLog } from '../../history/history-log.ts';
import { decodeHistory } from '../../history/ndjson.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { KEY_PREFIX, restartGuardOfScenario } from '../../workload/facts.ts';
import type { WriteDecision } from '../../workload/protected-resource.ts';
import { RunLostError } from '../testbed-error.ts';
import { movesNodeClocks, silentNodes } from './capabilities.ts';
import { ClientHandle, type ClientNews } from './client/client-handle.ts';
import { buildClientProgram } from './client/client-program.ts';
import { ClientLines } from './links/client-lines.ts';
import { ClientRoutes } from './links/client-routes.ts';
import { within } from './deadline.ts';
import { LinkDisturbances } from './links/link-disturbances.ts';
import { NodeObserver } from './observers/node-observer.ts';
import { OBSERVER, Proxies, proxyCount } from './links/proxies.ts';
import { RealFaults } from './real-faults.ts';
import { type MergedHistory, mergeHistory } from './merge/real-history.ts';
import { RealNode } from './real-node.ts';
import { forgetRemains, watchRemains } from './reaper.ts';
import { followWithLag } from './servers/replication.ts';
import { ResourceObserver } from './observers/resource-observer.ts';
import { RunLog } from './merge/run-log.ts';
import type { RunTimers } from './run-timers.ts';
import type { Fleet, FleetStarter } from './servers/server-fleet.ts';
import { serverRequests } from './servers/server-requests.ts';
import { toxiproxyVersion } from './toxiproxy-version.ts';
import { TrueClock } from './true-clock.ts';

/** How long it may take until everybody is connected to everybody. */
const CONNECT_WITHIN_MS = 60_000;

export interface RealWorldOptions {
  readonly starter: FleetStarter;
  readonly scenario: Scenario;
  readonly seed: number;
  /** Where every process keeps what it has seen; null for a folder that goes with the run. */
  readonly partsFolder: string | null;
  readonly timers: RunTimers;
  readonly onStep: (step: string) => void;
  /** Told when something breaks without which the run proves nothing. */
  readonly fail: (error: Error) => void;
}

/** The processes of one run: servers, Toxiproxy and clients; and what was seen of them. */
export class RealWorld {
  readonly clientNames: readonly string[];
  readonly nodeNames: readonly string[];
  readonly log: RunLog;
  readonly clients = new Map<string, ClientHandle>();
  private readonly options: RealWorldOptions;
  private readonly nodes = new Map<string, RealNode>();
  private readonly linkDisturbances = new LinkDisturbances();
  /** By the number of the write: what the protected resource answered. */
  private readonly writeDecisions = new Map<number, WriteDecision>();
  /** Goes with the run. */
  private readonly folder: string;
  private readonly partsFolder: string;
  private trueClock = new TrueClock();
  private resourceObserver: ResourceObserver | null = null;
  private fleet: Fleet | null = null;
  private realFaults: RealFaults | null = null;
  private launching: Promise<void> | null = null;
  private readonly closing = new AbortController();

  constructor(options: RealWorldOptions) {
    this.options = options;
    this.clientNames = Object.keys(options.scenario.clients);
    this.nodeNames = Array.from({ length: options.scenario.settings.nodes }, (_, index) => `n${index + 1}`);
    this.folder = mkdtempSync(join(tmpdir(), 'distrilock-run-'));
    watchRemains({ folder: this.folder });
    this.partsFolder = options.partsFolder ?? join(this.folder, 'parts');
    mkdirSync(this.partsFolder, { recursive: true });
    this.log = new RunLog(join(this.partsFolder, 'run.ndjson'));
  }

  /** Starts everything. Rejects if that cannot be, or the world is closed meanwhile. */
  launch(): Promise<void> {
    this.launching = this.start();
    return this.launching;
  }

  /** Time begins. */
  begin(): void {
    this.trueClock = new TrueClock();
    for (const client of this.clients.values()) client.begin(this.trueClock.startNs);
  }

  /** Microseconds of true time since the run began. */
  nowUs(): number {
    return this.trueClock.nowUs();
  }

  get faults(): RealFaults {
    if (this.realFaults === null) throw new Error('the world was not launched');
    return this.realFaults;
  }

  /** Resolves once everything that was sent by now is answered, if it ever is, and everything that the servers did is seen. */
  async catchUp(patienceMs: number): Promise<void> {
    await Promise.race([
      Promise.all([...this.clients.values()].map((client) => client.awaitAnswers())),
      this.options.timers.pass(patienceMs),
    ]);
    await Promise.all(this.observers().map(({ connection }) => connection.catchUp()));
  }

  /** Resolves to where the protected resource has stored something else than it was seen to, in a sentence; null if nowhere. */
  async findResourceMismatch(): Promise<string | null> {
    return (await this.resourceObserver?.findMismatch()) ?? null;
  }

  /** Resolves to what has ended although nobody ended it, in words; null if nothing has. */
  async unaskedEnd(): Promise<string | null> {
    return (await this.fleet?.unaskedEnd()) ?? null;
  }

  /** Of those without whom a run cannot go on: who gives no answer. */
  async whoHangs(): Promise<string> {
    if (this.fleet === null) return 'nobody was started, so nobody';
    return toxiproxyVersion(this.fleet.toxiproxyUrl, 0).then(
      () => 'a server',
      () => 'Toxiproxy',
    );
  }

  /** Ends all processes. What they have seen stays on disk. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.closeClients();
    // Whatever is on its way when the run is ended must be there to be ended too.
    await this.launching?.catch(() => undefined);
    const ends = await Promise.allSettled([this.closeClients(), this.fleet?.close()]);
    this.log.close();
    const failure = ends.find((end) => end.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  }

  /** The one history of all that was seen. Only of a world that is closed. */
  merge(): MergedHistory {
    const clients = this.clientNames.map((name) => readPart(this.partOf(name)));
    const { linkDisturbances: disturbances, writeDecisions } = this;
    return mergeHistory({ run: this.log.own, clients, disturbances, writeDecisions });
  }

  /** Removes what the processes have kept of what they saw. */
  forgetParts(): void {
    rmSync(this.partsFolder, { recursive: true, force: true });
  }

  /** Removes all else that is on disk. */
  forget(): void {
    rmSync(this.folder, { recursive: true, force: true });
    forgetRemains({ folder: this.folder });
  }

  private async start(): Promise<void> {
    const { options, folder, clientNames, nodeNames } = this;
    const { scenario, starter, onStep } = options;
    const requests = serverRequests(scenario, nodeNames);
    const [programEnd, fleetEnd] = await Promise.allSettled([
      buildClientProgram(folder),
      starter.start({
        ...requests,
        lineNames: silentNodes(scenario, nodeNames),
        proxyCount: proxyCount(clientNames.length, requests.servers.length, requests.replicas.size),
        folder,
        signal: this.closing.signal,
        onProgress: onStep,
      }),
    ]);
    if (fleetEnd.status === 'rejected') throw fleetEnd.reason;
    this.fleet = fleetEnd.value;
    if (programEnd.status === 'rejected') throw programEnd.reason;
    this.goOnUnlessClosed();
    await within(
      CONNECT_WITHIN_MS,
      this.connect(this.fleet, programEnd.value),
      async () => new RunLostError(`${await this.whoHangs()} does not answer, so the run cannot begin`),
    );
  }

  private async connect(fleet: Fleet, clientProgram: string): Promise<void> {
    const { clientNames } = this;
    const { scenario } = this.options;
    const proxies = await Proxies.create(fleet, clientNames);
    await this.observe(fleet, proxies);
    this.goOnUnlessClosed();
    await Promise.all([...fleet.replicas.keys()].map((node) => followWithLag(node, longestLagMs(scenario), proxies)));
    this.goOnUnlessClosed();
    await Promise.all(clientNames.map((name, place) => this.startClient(name, place, clientProgram, proxies)));
  }

  private async observe(fleet: Fleet, proxies: Proxies): Promise<void> {
    const { scenario, timers, fail } = this.options;
    const nowUs = (): number => this.nowUs();
    const routes = new ClientRoutes({
      proxies,
      disturbances: this.linkDisturbances,
      nowUs,
      pass: (milliseconds) => timers.pass(milliseconds),
      fail,
    });
    for (const name of this.nodeNames) this.nodes.set(name, this.node(name, fleet, proxies, routes));
    this.resourceObserver = new ResourceObserver({
      address: proxies.address(OBSERVER, RESOURCE),
      nowUs,
      onLost: fail,
      record: (event) => this.log.record(event),
    });
    this.realFaults = new RealFaults({
      log: this.log,
      scenario,
      clients: this.clients,
      clientNames: this.clientNames,
      nodes: this.nodes,
      routes,
      lines: new ClientLines(fleet.lines),
      nowUs,
      schedule: (delayMs, run) => timers.schedule(delayMs, run),
      fail,
    });
    await Promise.all(this.observers().map(({ connection }) => connection.open()));
    await Promise.all([...this.nodes.values()].map((node) => node.getToKnow()));
    const guard = restartGuardOfScenario(scenario);
    if (guard !== null) await Promise.all([...this.nodes.values()].map(({ observer }) => observer.admit(guard)));
  }

  private node(name: string, fleet: Fleet, proxies: Proxies, routes: ClientRoutes): RealNode {
    const { scenario, fail } = this.options;
    const server = fleet.servers.get(name);
    if (server === undefined) throw new Error(`the fleet has no server ${name}`);
    const nowUs = (): number => this.nowUs();
    const observer = new NodeObserver({
      node: name,
      address: proxies.address(OBSERVER, name),
      keyPrefix: KEY_PREFIX,
      nowUs,
      hasSteadyClock: !movesNodeClocks(scenario),
      onExecuted: (execution) => this.log.recordExecution(execution),
      onKeyLost: (event) => this.log.record(event),
      onLost: fail,
    });
    return new RealNode({
      observer,
      server,
      replica: fleet.replicas.get(name) ?? null,
      clients: this.clientNames,
      proxies,
      routes,
      log: this.log,
      settings: scenario.nodes,
      nowUs,
      schedule: (delayMs, run) => this.options.timers.schedule(delayMs, run),
      fail,
      onHeldUp: () => this.realFaults?.noteHeldUp(),
    });
  }

  private async startClient(name: string, place: number, program: string, proxies: Proxies): Promise<void> {
    const { scenario, seed, fail } = this.options;
    const clock = scenario.clients[name];
    if (clock === undefined) throw new Error(`the scenario has no client ${name}`);
    const client = new ClientHandle(name, program, { onNews: (news) => this.hear(name, news), onDeath: fail });
    this.clients.set(name, client);
    await client.configure({
      name,
      place,
      clientCount: this.clientNames.length,
      seed,
      historyFile: this.partOf(name),
      clock,
      settings: scenario.settings,
      keyPrefix: KEY_PREFIX,
      nodes: Object.fromEntries(this.nodeNames.map((node) => [node, proxies.address(name, node)])),
      resource: proxies.address(name, RESOURCE),
    });
  }

  private hear(client: string, news: ClientNews): void {
    if (news.type === 'event') this.log.hear(news.event);
    else if (news.type === 'write-answered') this.writeDecisions.set(news.write, news.reply);
    else this.realFaults?.noteLease({ client, key: news.key, value: news.value });
  }

  private observers(): (NodeObserver | ResourceObserver)[] {
    const nodes = [...this.nodes.values()].map(({ observer }) => observer);
    return this.resourceObserver === null ? nodes : [...nodes, this.resourceObserver];
  }

  private partOf(client: string): string {
    return join(this.partsFolder, `client-${client}.ndjson`);
  }

  private async closeClients(): Promise<void> {
    for (const { connection } of this.observers()) connection.close();
    await Promise.all([...this.clients.values()].map((client) => client.close()));
  }

  private goOnUnlessClosed(): void {
    if (this.closing.signal.aborted) throw new Error('the run was ended while it was being launched');
  }
}

/** What a client has recorded; nothing if it never came to that. */
function readPart(path: string): History {
  try {
    return decodeHistory(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new HistoryLog();
    throw error;
  }
}

/** How far the replicas of a scenario are behind when they are promoted. */
function longestLagMs({ faults }: Scenario): number {
  return Math.max(0, ...faults.map((fault) => (fault.fault === 'promotion' ? fault.lag : 0)));
}
