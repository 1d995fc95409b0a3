import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Nemesis } from '../../faults/nemesis.ts';
import { whenMoment } from '../../faults/moments.ts';
import { resolveClients, RESOURCE } from '../../faults/targets.ts';
import type { HistoryEvent } from '../../history/event.ts';
import type { History } from '../../history/history.ts';
import { ObservedLog } from '../../history/observed-log.ts';
import type { Fault } from '../../scenario/fault-schema.ts';
import type { Scenario, Script } from '../../scenario/schema.ts';
import { longestKeyLifeMs, resourcesOf, runStarted } from '../../workload/facts.ts';
import type { RunOptions } from '../testbed.ts';
import { ClientHandle } from './client-handle.ts';
import type { FromClient } from './client-messages.ts';
import { buildClientProgram } from './client-program.ts';
import { CommandMatcher } from './command-matcher.ts';
import { LinkFaults } from './link-faults.ts';
import { NodeObserver } from './node-observer.ts';
import { OBSERVER, Proxies, proxyCount } from './proxies.ts';
import { RealFaults } from './real-faults.ts';
import { mergeHistory } from './real-history.ts';
import { RealNode } from './real-node.ts';
import { followWithLag } from './replication.ts';
import { ResourceObserver } from './resource-observer.ts';
import { forgetRemains, watchRemains } from './reaper.ts';
import type { Fleet, FleetStarter } from './server-fleet.ts';
import { TrueClock } from './true-clock.ts';

const KEY_PREFIX = 'lock:';
/** What may still be on its way when the last program has ended. */
const LAST_MESSAGES_MS = 300;

/** One run of a scenario on real servers: the same phases as in the simulation, in real time. */
export class RealRun {
  private readonly starter: FleetStarter;
  private readonly scenario: Scenario;
  private readonly options: RunOptions;
  private readonly trueClock = new TrueClock();
  private readonly log = new ObservedLog();
  private readonly linkFaults = new LinkFaults();
  private readonly matcher: CommandMatcher;
  private readonly folder: string;
  private readonly clients = new Map<string, ClientHandle>();
  private readonly nodes = new Map<string, RealNode>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly failed: Promise<never>;
  private starting: Promise<Fleet> | null = null;
  private building: Promise<string> | null = null;
  private isClosed = false;
  private readonly interrupt = (): void => {
    this.fail(new Interruption());
  };
  private resourceObserver: ResourceObserver | null = null;
  private faults: RealFaults | null = null;
  private fail: (error: Error) => void = () => undefined;

  constructor(starter: FleetStarter, scenario: Scenario, options: RunOptions) {
    this.starter = starter;
    this.scenario = scenario;
    this.options = options;
    this.matcher = new CommandMatcher((event) => {
      this.log.record(event);
    });
    this.folder = mkdtempSync(join(tmpdir(), 'distrilock-run-'));
    watchRemains({ folder: this.folder });
    this.failed = new Promise<never>((_resolve, reject) => (this.fail = reject));
    this.failed.catch(() => undefined);
    options.signal?.addEventListener('abort', this.interrupt);
  }

  async run(): Promise<History> {
    let reason = 'completed';
    let failure: Error | null = null;
    try {
      if (this.options.signal?.aborted === true) throw new Interruption();
      await this.unlessFailed(this.perform());
    } catch (error) {
      if (error instanceof Interruption) reason = 'interrupted';
      else {
        failure = error instanceof Error ? error : new Error(String(error));
        reason = `failed: ${failure.message}`;
      }
    } finally {
      await this.close();
    }
    this.record({ type: 'run-ended', timeUs: this.nowUs(), reason });
    const history = mergeHistory(this.log, this.linkFaults);
    this.options.onEvents?.(history.since(0));
    if (failure !== null) throw failure;
    return history;
  }

  private async perform(): Promise<void> {
    const { scenario } = this;
    await this.launch();
    this.options.onStep?.('the scenario goes on');
    const { faults } = this;
    if (faults === null) throw new Error('the run was not launched');
    this.record(
      runStarted(scenario, this.starter.backend, this.options.seed, [...this.clients.keys()], [...this.nodes.keys()]),
    );
    const nemesis = new Nemesis(faults);
    // What is wrong from the beginning is wrong before anybody does anything.
    const isFirst = (fault: Fault): boolean => fault.after === undefined && (fault.at ?? 0) === 0;
    nemesis.start(scenario.faults.filter(isFirst));
    await this.pass(0);
    await nemesis.settled();
    nemesis.start(scenario.faults.filter((fault) => !isFirst(fault)));
    const scripts = scenario.workload.flatMap((script) => this.launchWhenDue(script, faults));
    await Promise.race([Promise.all(scripts.map(({ ended }) => ended)), this.pass(scenario.limit)]);
    for (const { callOff } of scripts) callOff();
    await nemesis.settled();
    for (const client of this.clients.values()) client.cutOff();
    nemesis.healAll();
    await nemesis.settled();
    this.record({ type: 'healed', timeUs: this.nowUs() });
    await this.pass(longestKeyLifeMs(scenario));
    await this.demandProgress();
    await this.pass(LAST_MESSAGES_MS);
  }

  private async launch(): Promise<void> {
    const { scenario, starter, folder } = this;
    const clientNames = Object.keys(scenario.clients);
    const nodeNames = Array.from({ length: scenario.settings.nodes }, (_, index) => `n${index + 1}`);
    const serverNames = [...nodeNames, RESOURCE];
    const program = buildClientProgram(folder);
    this.building = program;
    // It is awaited below; until then nobody else would hear that it failed.
    program.catch(() => undefined);
    this.starting = starter.start({
      serverNames,
      scenario,
      movesClocks: scenario.faults.some(({ fault }) => fault.startsWith('clock-')),
      hasReplicas: scenario.nodes.replica,
      proxyCount: proxyCount(clientNames.length, serverNames.length, scenario.nodes.replica ? nodeNames.length : 0),
      folder,
      onProgress: (step) => this.options.onStep?.(step),
    });
    const fleet = await this.starting;
    this.goOnUnlessClosed();
    const proxies = await Proxies.create(fleet, clientNames);
    for (const name of nodeNames) this.nodes.set(name, this.observeNode(name, fleet, proxies, clientNames));
    this.resourceObserver = new ResourceObserver(
      proxies.address(OBSERVER, RESOURCE),
      () => this.nowUs(),
      (event) => {
        this.record(event);
      },
    );
    await Promise.all([
      this.resourceObserver.connection.open(),
      ...[...this.nodes.values()].map(async ({ observer }) => {
        await observer.connection.open();
        await observer.readClock();
      }),
    ]);
    await Promise.all([...fleet.replicas.keys()].map((node) => followWithLag(node, longestLagMs(scenario), proxies)));
    const programPath = await program;
    await Promise.all(
      clientNames.map((name, place) => this.startClient(name, place, programPath, proxies, serverNames)),
    );
    this.faults = new RealFaults({
      log: this.log,
      scenario,
      clients: this.clients,
      nodes: this.nodes,
      proxies,
      linkFaults: this.linkFaults,
      nowUs: () => this.nowUs(),
      schedule: (delayMs, run) => {
        this.schedule(delayMs, run);
      },
      fail: (error) => {
        this.fail(error);
      },
    });
  }

  private observeNode(name: string, fleet: Fleet, proxies: Proxies, clients: readonly string[]): RealNode {
    const server = fleet.servers.get(name);
    if (server === undefined) throw new Error(`the fleet has no server ${name}`);
    const nowUs = (): number => this.nowUs();
    return new RealNode({
      observer: new NodeObserver({
        node: name,
        address: proxies.address(OBSERVER, name),
        keyPrefix: KEY_PREFIX,
        nowUs,
        onExecuted: (execution) => {
          this.matcher.noteExecuted(execution);
        },
        onKeyLost: (event) => {
          this.record(event);
        },
      }),
      server,
      replica: fleet.replicas.get(name) ?? null,
      clients,
      proxies,
      log: this.log,
      persistence: this.scenario.nodes.persistence,
      nowUs,
    });
  }

  private async startClient(
    name: string,
    place: number,
    program: string,
    proxies: Proxies,
    serverNames: readonly string[],
  ): Promise<void> {
    const { scenario } = this;
    const clock = scenario.clients[name];
    if (clock === undefined) throw new Error(`the scenario has no client ${name}`);
    this.goOnUnlessClosed();
    const client = new ClientHandle(name, program, (message) => {
      this.hear(name, message);
    });
    this.clients.set(name, client);
    await client.configure({
      name,
      place,
      clientCount: Object.keys(scenario.clients).length,
      seed: this.options.seed,
      startNs: String(this.trueClock.startNs),
      historyFile: join(this.folder, `client-${name}.ndjson`),
      clock,
      settings: scenario.settings,
      keyPrefix: KEY_PREFIX,
      nodes: Object.fromEntries(
        serverNames.filter((server) => server !== RESOURCE).map((server) => [server, proxies.address(name, server)]),
      ),
      resource: proxies.address(name, RESOURCE),
    });
  }

  private hear(client: string, message: Extract<FromClient, { type: 'event' | 'lease' }>): void {
    if (message.type === 'lease') this.faults?.noteLease({ client, key: message.key, value: message.value });
    else {
      this.record(message.event);
      if (message.event.type === 'command-sent') this.matcher.noteSent(message.event);
    }
  }

  /** Starts the script on each of its clients when its moment comes. */
  private launchWhenDue(script: Script, faults: RealFaults): { callOff: () => void; ended: Promise<void> }[] {
    return resolveClients(script.clients, faults).map((name) => {
      let callOff: () => void = () => undefined;
      const ended = new Promise<void>((resolve) => {
        callOff = whenMoment(
          script,
          this.log,
          (delayMs, run) => {
            this.schedule(delayMs, run);
          },
          () => {
            const client = this.clients.get(name) as ClientHandle;
            client.runScript(script).then(
              () => {
                resolve();
              },
              (error: unknown) => {
                this.fail(error as Error);
              },
            );
          },
        );
      });
      return { callOff, ended };
    });
  }

  private async demandProgress(): Promise<void> {
    const names = [...this.clients.keys()];
    for (const resource of resourcesOf(this.scenario, names)) {
      for (const client of this.clients.values()) if (await client.probe(resource)) break;
    }
  }

  private record(event: HistoryEvent): void {
    this.log.record(event);
  }

  private nowUs(): number {
    return this.trueClock.nowUs();
  }

  private schedule(delayMs: number, run: () => void): void {
    // What is still under way then must not begin anything new.
    if (this.isClosed) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      try {
        run();
      } catch (error) {
        this.fail(error as Error);
      }
    }, delayMs);
    this.timers.add(timer);
  }

  private pass(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.schedule(milliseconds, resolve);
    });
  }

  private unlessFailed<Result>(work: Promise<Result>): Promise<Result> {
    return Promise.race([work, this.failed]);
  }

  private goOnUnlessClosed(): void {
    if (this.isClosed) throw new Interruption();
  }

  private async close(): Promise<void> {
    this.isClosed = true;
    this.options.signal?.removeEventListener('abort', this.interrupt);
    for (const timer of this.timers) clearTimeout(timer);
    await Promise.all([...this.clients.values()].map((client) => client.close()));
    for (const node of this.nodes.values()) node.close();
    this.resourceObserver?.connection.close();
    // Servers that are on their way when the run is ended must be there to be ended too.
    const fleet = await this.starting?.catch(() => null);
    await fleet?.close();
    // It would make its folder again.
    await this.building?.catch(() => undefined);
    rmSync(this.folder, { recursive: true, force: true });
    forgetRemains({ folder: this.folder });
  }
}

/** The caller of the run has ended it. */
class Interruption extends Error {}

/** How far the replicas of a scenario are behind when they are promoted. */
function longestLagMs({ faults }: Scenario): number {
  return Math.max(0, ...faults.map((fault) => (fault.fault === 'promotion' ? fault.lag : 0)));
}
