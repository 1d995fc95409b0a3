import type { Scenario } from '../../scenario/schema.ts';
import { nodeNames } from '../../scenario/server-names.ts';
import { RunLostError } from '../testbed-error.ts';
import { silentNodes } from './capabilities.ts';
import type { ClientHandle } from './client/client-handle.ts';
import { buildClientProgram } from './client/client-program.ts';
import { within } from './deadline.ts';
import { Proxies, proxyCount } from './links/proxies.ts';
import { type MergedHistory, mergeHistory } from './merge/real-history.ts';
import { RunLog } from './merge/run-log.ts';
import type { RealFaults } from './real-faults.ts';
import { RunFolder } from './run-folder.ts';
import type { RunTimers } from './run-timers.ts';
import { followWithLag } from './servers/replication.ts';
import type { Fleet, FleetStarter } from './servers/server-fleet.ts';
import { serverRequests } from './servers/server-requests.ts';
import { toxiproxyVersion } from './toxiproxy-version.ts';
import { TrueClock } from './true-clock.ts';
import { Wiring } from './wiring.ts';

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

/** The life of all processes of one run, servers, Toxiproxy and clients, from their start to what was seen of them. */
export class RealWorld {
  readonly clientNames: readonly string[];
  readonly nodeNames: readonly string[];
  readonly log: RunLog;
  private readonly options: RealWorldOptions;
  private readonly folder: RunFolder;
  private readonly wiring: Wiring;
  private trueClock = new TrueClock();
  private fleet: Fleet | null = null;
  private launching: Promise<void> | null = null;
  private readonly closing = new AbortController();

  constructor(options: RealWorldOptions) {
    this.options = options;
    this.clientNames = Object.keys(options.scenario.clients);
    this.nodeNames = nodeNames(options.scenario.settings.nodes);
    this.folder = new RunFolder(options.partsFolder);
    try {
      this.log = new RunLog(this.folder.runPart, options.fail);
    } catch (error) {
      this.folder.forget();
      throw error;
    }
    const { scenario, seed, timers, fail } = options;
    const { clientNames, folder, log } = this;
    const nowUs = (): number => this.nowUs();
    this.wiring = new Wiring({
      scenario,
      seed,
      clientNames,
      nodeNames: this.nodeNames,
      folder,
      log,
      nowUs,
      timers,
      fail,
    });
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

  get clients(): ReadonlyMap<string, ClientHandle> {
    return this.wiring.clients;
  }

  get faults(): RealFaults {
    return this.wiring.faults;
  }

  /** Resolves once everything that was sent by now is answered, if it ever is, and everything that the servers did is seen. */
  async catchUp(patienceMs: number): Promise<void> {
    await Promise.race([
      Promise.all([...this.clients.values()].map((client) => client.awaitAnswers())),
      this.options.timers.pass(patienceMs),
    ]);
    await this.wiring.catchUp();
  }

  /** Resolves to where the protected resource has stored something else than it was seen to, in a sentence; null if nowhere. */
  findResourceMismatch(): Promise<string | null> {
    return this.wiring.findResourceMismatch();
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
    await this.wiring.close();
    // Whatever is on its way when the run is ended must be there to be ended too.
    await this.launching?.catch(() => undefined);
    const ends = await Promise.allSettled([this.wiring.close(), this.fleet?.close()]);
    this.log.close();
    const failure = ends.find((end) => end.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  }

  /** The one history of all that was seen. Only of a world that is closed. */
  merge(): MergedHistory {
    const clients = this.clientNames.map((name) => this.folder.readClientPart(name));
    const { disturbances, writeDecisions, writeErrors } = this.wiring;
    return mergeHistory({ run: this.log.own, clients, disturbances, writeDecisions, writeErrors });
  }

  /** Removes what the processes have kept of what they saw. */
  forgetParts(): void {
    this.folder.forgetParts();
  }

  /** Removes all else that is on disk. */
  forget(): void {
    this.folder.forget();
  }

  private async start(): Promise<void> {
    const { options, folder, clientNames, nodeNames } = this;
    const { scenario, starter, onStep } = options;
    const requests = serverRequests(scenario, nodeNames);
    const [programEnd, fleetEnd] = await Promise.allSettled([
      buildClientProgram(folder.path),
      starter.start({
        ...requests,
        lineNames: silentNodes(scenario, nodeNames),
        proxyCount: proxyCount(clientNames.length, requests.servers.length, requests.replicas.size),
        folder: folder.path,
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
    const { wiring } = this;
    const proxies = await Proxies.create(fleet, this.clientNames);
    await wiring.observe(fleet, proxies);
    this.goOnUnlessClosed();
    await Promise.all(
      [...fleet.replicas.keys()].map((node) => followWithLag(node, longestLagMs(this.options.scenario), proxies)),
    );
    await wiring.admit();
    this.goOnUnlessClosed();
    await wiring.startClients(clientProgram, proxies);
  }

  private goOnUnlessClosed(): void {
    if (this.closing.signal.aborted) throw new Error('the run was ended while it was being launched');
  }
}

/** How far the replicas of a scenario are behind when they are promoted. */
function longestLagMs({ faults }: Scenario): number {
  return Math.max(0, ...faults.map((fault) => (fault.fault === 'promotion' ? fault.lag : 0)));
}
