import { Nemesis } from '../../faults/nemesis.ts';
import { whenMoment } from '../../faults/moments.ts';
import { resolveClients } from '../../faults/targets.ts';
import type { HistoryEvent } from '../../history/event.ts';
import type { History } from '../../history/history.ts';
import { ObservedLog } from '../../history/observed-log.ts';
import type { Scenario, Script } from '../../scenario/schema.ts';
import { longestKeyLifeMs, resourcesOf, runStarted } from '../../workload/facts.ts';
import { probeOptions } from '../../workload/redlock-options.ts';
import { probe, runScript } from '../../workload/run-script.ts';
import { Interruption, reasonOf } from '../run-end.ts';
import type { RunOptions } from '../testbed.ts';
import { RandomStreams } from '../random-streams.ts';
import type { SimulatedClient } from './simulated-client.ts';
import type { SimulatedWorkloadClient } from './simulated-workload-client.ts';
import { Simulation } from './simulation.ts';
import { World } from './world.ts';

/** One run of a scenario: the workload under faults, then healing, then the demand for progress. */
export class SimulatedRun {
  private readonly scenario: Scenario;
  private readonly options: RunOptions;
  private readonly simulation = new Simulation();
  private readonly log = new ObservedLog();
  private readonly world: World;
  private readonly nemesis: Nemesis;
  private readonly running = new Set<SimulatedWorkloadClient>();
  private scriptsToCome = 0;
  private failure: Error | null = null;
  private saved = 0;

  constructor(scenario: Scenario, options: RunOptions) {
    this.scenario = scenario;
    this.options = options;
    this.world = new World(scenario, this.simulation, this.log, new RandomStreams(options.seed));
    this.nemesis = new Nemesis(this.world.faults);
  }

  /** Events of the simulation that have happened: messages that arrived, and timers that fired. */
  get eventCount(): number {
    return this.simulation.eventCount;
  }

  async run(): Promise<History> {
    const { scenario, world } = this;
    this.log.record(
      runStarted(scenario, 'simulated', this.options.seed, [...world.clients.keys()], [...world.nodes.keys()]),
    );
    let end: Error | null = null;
    try {
      this.nemesis.start(scenario.faults);
      const callOffs = scenario.workload.flatMap((script, index) => this.launchWhenDue(script, `${index + 1}`));
      await this.advance(scenario.limit * 1000, () => this.running.size === 0 && this.scriptsToCome === 0);
      await this.happen(() => {
        this.log.record({ type: 'workload-ended', timeUs: this.simulation.nowUs });
        for (const callOff of callOffs) callOff();
        for (const client of this.running) client.endScript();
        this.nemesis.healAll();
        this.log.record({ type: 'healed', timeUs: this.simulation.nowUs });
      });
      // What a fault made late arrives late, although the fault is healed, and keeps what is sent after it waiting.
      await this.pass(Math.max(0, world.quietUs - this.simulation.nowUs) / 1000);
      // A node that may have forgotten locks starts its quarantine when somebody asks it: this first round of probes only does that, and the one after it counts.
      if (scenario.settings.restartGuard !== undefined) await this.demandProgress();
      await this.pass(longestKeyLifeMs(scenario));
      await this.demandProgress();
    } catch (error) {
      if (!(error instanceof Interruption)) this.failure ??= error as Error;
      end = this.failure ?? (error as Error);
    }
    this.log.record({ type: 'run-ended', timeUs: this.simulation.nowUs, reason: reasonOf(end) });
    this.save();
    if (this.failure !== null) throw this.failure;
    return this.log;
  }

  /** Starts the script on each of its clients when its moment comes. */
  private launchWhenDue(script: Script, scriptName: string): (() => void)[] {
    const { world, log } = this;
    return resolveClients(script.clients, world.faults).map((name) => {
      this.scriptsToCome += 1;
      return whenMoment(
        script,
        log,
        (delayMs, run) => {
          world.faults.schedule(delayMs, run);
        },
        () => {
          this.scriptsToCome -= 1;
          const client = world.workloadClient(name, scriptName);
          this.running.add(client);
          this.enter(
            name,
            () => runScript(client, script, this.scenario.settings.ttl),
            () => this.running.delete(client),
          );
        },
      );
    });
  }

  /** Once everything is healed and every lease is over, somebody must be able to lock each resource. */
  private async demandProgress(): Promise<void> {
    const { scenario, world } = this;
    const names = [...world.clients.keys()];
    const clients = names.map((name) => world.workloadClient(name, 'probe'));
    const { settings } = scenario;
    const end = { isReached: false };
    const probeAll = async (): Promise<void> => {
      for (const resource of resourcesOf(scenario, names)) {
        for (const client of clients) if (await probe(client, resource, settings.ttl, probeOptions(settings))) break;
      }
    };
    await this.happen(() => {
      // The first client only lends its process to the loop.
      this.enter(names[0] as string, probeAll, () => (end.isReached = true));
    });
    await this.advance(Number.POSITIVE_INFINITY, () => end.isReached);
    // What was sent last, a release say, still arrives.
    await this.pass(scenario.settings.ttl);
  }

  /** Runs a program in the process of a client. An error of it is a defect, of the library or of the testbed, and ends the run. */
  private enter(clientName: string, program: () => Promise<void>, onEnd: () => void): void {
    const client = this.world.clients.get(clientName) as SimulatedClient;
    client.enter(() => {
      program().then(onEnd, (error: unknown) => {
        this.failure ??= error instanceof Error ? error : new Error(String(error));
      });
    });
  }

  private async advance(untilUs: number, isDone: () => boolean): Promise<void> {
    this.heedSignal();
    await this.simulation.run(
      untilUs,
      () => this.failure !== null || isDone(),
      () => {
        this.save();
        this.heedSignal();
      },
    );
    if (this.failure !== null) throw this.failure;
  }

  private heedSignal(): void {
    if (this.options.signal?.aborted === true) throw new Interruption();
  }

  /** Does something now, as an event like others: what programs do because of it is done when it returns. */
  private happen(run: () => void): Promise<void> {
    this.world.faults.schedule(0, run);
    return this.pass(0);
  }

  private pass(milliseconds: number): Promise<void> {
    return this.advance(this.simulation.nowUs + Math.ceil(milliseconds * 1000), () => false);
  }

  private save(): void {
    if (this.saved === this.log.length) return;
    this.options.onEvents?.(this.eventsBetween(this.saved, this.log.length));
    this.saved = this.log.length;
  }

  private *eventsBetween(from: number, to: number): Generator<HistoryEvent> {
    for (let index = from; index < to; index += 1) yield this.log.at(index);
  }
}
