import type { LockCommand, LockReply } from '../../../src/lock-node.ts';
import type { ObservedLog } from '../../history/observed-log.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { nodeNames, RESOURCE } from '../../scenario/server-names.ts';
import { admissionBy, KEY_PREFIX, restartGuardOfScenario } from '../../workload/facts.ts';
import { redlockOptionsOf } from '../../workload/redlock-options.ts';
import { ProtectedResource, type WriteReply, type WriteRequest } from '../../workload/protected-resource.ts';
import { Link } from './link.ts';
import { ModelNode } from '../model-node/model-node.ts';
import { replyPlaces } from './reply-places.ts';
import type { RandomStreams } from '../random-streams.ts';
import { SimulatedClient } from './simulated-client.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { SimulatedFaults } from './simulated-faults.ts';
import { SimulatedNode } from './simulated-node.ts';
import type { Simulation } from './simulation.ts';
import { type RunCounters, SimulatedWorkloadClient } from './simulated-workload-client.ts';

/** What all wall clocks read when a run begins, but for their offsets: 2026-01-01T00:00:00Z. */
const EPOCH_MS = 1_767_225_600_000;
/** A monotonic clock counts from some moment before the run: not from 0, and not from the epoch. */
const MONOTONIC_START_MS = 1_000_000;

type NodeLink = Link<LockCommand, LockReply>;
type ResourceLink = Link<WriteRequest, WriteReply>;

/** Everything that there is in one run of a scenario: clients, nodes, the protected resource, and the links between them. */
export class World {
  readonly simulation: Simulation;
  readonly log: ObservedLog;
  readonly clients = new Map<string, SimulatedClient>();
  readonly nodes = new Map<string, SimulatedNode>();
  readonly faults: SimulatedFaults;
  private readonly scenario: Scenario;
  private readonly streams: RandomStreams;
  private readonly nodeLinks = new Map<string, Map<string, NodeLink>>();
  private readonly resourceLinks = new Map<string, ResourceLink>();
  private readonly counters: RunCounters = { operations: 0, commands: 0, writes: 0 };

  constructor(scenario: Scenario, simulation: Simulation, log: ObservedLog, streams: RandomStreams) {
    this.scenario = scenario;
    this.simulation = simulation;
    this.log = log;
    this.streams = streams;
    for (const name of nodeNames(scenario.settings.nodes)) this.addNode(name);
    for (const name of Object.keys(scenario.clients)) this.addClient(name);
    this.faults = new SimulatedFaults({
      simulation,
      log,
      random: (fault) => streams.stream(`fault ${fault}`),
      clients: this.clients,
      nodes: this.nodes,
      link: (client, server) =>
        (server === RESOURCE
          ? this.resourceLinks.get(client)
          : this.nodeLinks.get(client)?.get(server)) as unknown as Link<never, never>,
    });
  }

  /** A client as one more script sees it: with a Redlock of its own, over the client's connections. What it draws follows from the script's name. */
  workloadClient(name: string, script: string): SimulatedWorkloadClient {
    return new SimulatedWorkloadClient(
      {
        simulation: this.simulation,
        log: this.log,
        nodes: [...this.nodes.values()],
        counters: this.counters,
        faults: this.faults,
        redlockOptions: { ...redlockOptionsOf(this.scenario.settings), keyPrefix: KEY_PREFIX },
        keyOf: (resource) => KEY_PREFIX + resource,
      },
      this.clients.get(name) as SimulatedClient,
      [...(this.nodeLinks.get(name) as Map<string, NodeLink>).values()],
      this.resourceLinks.get(name) as ResourceLink,
      this.streams.stream(`script ${script} of ${name}`),
    );
  }

  /** When everything has arrived that is on its way between clients and nodes now. */
  get quietUs(): number {
    let quietUs = 0;
    for (const links of this.nodeLinks.values()) {
      for (const link of links.values()) quietUs = Math.max(quietUs, link.quietUs);
    }
    return quietUs;
  }

  private addNode(name: string): void {
    const { simulation, log, scenario } = this;
    const { persistence, maxmemoryPolicy } = scenario.nodes;
    const clock = new SimulatedClock(simulation, EPOCH_MS, 1);
    const model = new ModelNode(
      { persistence, maxmemoryPolicy, replicaHorizonUs: this.replicaHorizonUs() },
      clock.nowMs(),
      (key, value, cause) => {
        log.record({ type: 'key-lost', timeUs: simulation.nowUs, node: name, key, value, cause });
      },
    );
    const node = new SimulatedNode(name, simulation, log, model, clock);
    this.nodes.set(name, node);
    const guard = restartGuardOfScenario(scenario);
    if (guard !== null) model.execute(admissionBy(guard), clock.nowMs(), simulation.nowUs, node.runId);
  }

  /** How far a replica can be behind, of those that the scenario promotes; one that got nothing needs no memory of what it lacks. */
  private replicaHorizonUs(): number {
    const lagsMs = this.scenario.faults.map((fault) => (fault.fault === 'promotion' ? fault.lag : 0));
    return Math.max(0, ...lagsMs.filter((lagMs) => Number.isFinite(lagMs))) * 1000;
  }

  private addClient(name: string): void {
    const { simulation, log, scenario, streams } = this;
    const settings = scenario.clients[name];
    if (settings === undefined) throw new Error(`the scenario has no client ${name}`);
    const client = new SimulatedClient(
      name,
      simulation,
      log,
      streams.stream(`client ${name}`),
      new SimulatedClock(simulation, MONOTONIC_START_MS, settings.rate),
      new SimulatedClock(simulation, EPOCH_MS + settings.wallOffset, settings.rate),
      settings.clock === 'wall',
    );
    this.clients.set(name, client);
    const links = new Map<string, NodeLink>();
    for (const node of this.nodes.values()) links.set(node.name, this.linkToNode(client, node));
    this.nodeLinks.set(name, links);
    this.resourceLinks.set(name, this.linkToResource(client));
  }

  private linkToNode(client: SimulatedClient, node: SimulatedNode): NodeLink {
    const { simulation, log } = this;
    const { namePlace } = client;
    const nodePlace = log.intern(node.name);
    const places = replyPlaces(log);
    const link: NodeLink = new Link(
      simulation,
      log,
      this.latencyStream(client, node.name),
      this.scenario.network.latency,
      {
        clientName: client.name,
        serverName: node.name,
        isUp: () => node.isUp,
        serve: (exchange) => {
          node.serve(exchange, namePlace);
        },
        deliver: (exchange) => {
          if (client.holdsBack(exchange)) return;
          const reply = exchange.reply as LockReply;
          log.recordReceived(simulation.nowUs, exchange.number, namePlace, nodePlace, places[reply.kind]);
          client.settle(exchange);
        },
        failure: (reason, sent) => ({ kind: 'failed', error: new Error(reason), sent }),
      },
    );
    // With the guard the server's run_id is asked for as well.
    if (this.scenario.settings.restartGuard !== undefined) link.handshakes = 2;
    node.links.push(link);
    return link;
  }

  private linkToResource(client: SimulatedClient): ResourceLink {
    const { simulation, log } = this;
    return new Link(simulation, log, this.latencyStream(client, RESOURCE), this.scenario.network.latency, {
      clientName: client.name,
      serverName: RESOURCE,
      isUp: () => true,
      serve: (exchange) => {
        const { write, lease, resource, token } = exchange.request;
        const reply = this.resource.write(exchange.request);
        const event = { timeUs: simulation.nowUs, client: client.name, write, lease, resource, token };
        if (reply.accepted) log.record({ type: 'write-accepted', ...event });
        else log.record({ type: 'write-refused', ...event, largestToken: reply.largestToken });
        exchange.link.answer(exchange, reply);
      },
      deliver: (exchange) => {
        if (!client.holdsBack(exchange)) client.settle(exchange);
      },
      failure: (): WriteReply => ({ accepted: 'unknown' }),
    });
  }

  private readonly resource = new ProtectedResource();

  private latencyStream(client: SimulatedClient, server: string): ReturnType<RandomStreams['stream']> {
    return this.streams.stream(`latency ${client.name} ${server}`);
  }
}
