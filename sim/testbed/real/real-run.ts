import { Nemesis } from '../../faults/nemesis.ts';
import { type Moment, whenMoment } from '../../faults/moments.ts';
import { resolveClients } from '../../faults/targets.ts';
import type { History } from '../../history/history.ts';
import type { Fault } from '../../scenario/fault-schema.ts';
import { OutputError } from '../../results/output-error.ts';
import type { Scenario, Script } from '../../scenario/schema.ts';
import { longestKeyLifeMs, resourcesOf, runStarted } from '../../workload/facts.ts';
import { Interruption, reasonOf } from '../run-end.ts';
import { RunLostError } from '../testbed-error.ts';
import type { RunOptions } from '../testbed.ts';
import type { ClientHandle } from './client/client-handle.ts';
import { within } from './deadline.ts';
import { RealWorld } from './real-world.ts';
import type { MergedHistory } from './merge/real-history.ts';
import { findUnexplainedRefusal } from './merge/refusals.ts';
import { findModelMismatch } from './merge/reply-check.ts';
import { RunTimers } from './run-timers.ts';
import type { FleetStarter } from './servers/server-fleet.ts';

/** Who takes longer than this, when the workload is over, hangs. */
const ANSWER_WITHIN_MS = 60_000;
/** How often to look for the death of a program that would explain a failure: the news of it may come last. */
const DEATH_LOOKS = 20;
const LOOK_EVERY_MS = 50;
/** Looks that are answered are over in a second. */
const LOOK_WITHIN_MS = 10_000;
/** How long answers may still be on their way when the last program has ended. */
const LAST_ANSWERS_MS = 5000;

/** One run of a scenario on real servers: the same phases as in the simulation, in real time. */
export class RealRun {
  private readonly scenario: Scenario;
  private readonly options: RunOptions;
  private readonly world: RealWorld;
  private readonly timers: RunTimers;
  /** Rejects with the first thing that breaks the run. */
  private readonly failed: Promise<never>;
  private readonly backend: string;
  private readonly interrupt = (): void => this.fail(new Interruption());
  private fail: (error: Error) => void = () => undefined;
  private resourceMismatch: string | null = null;

  constructor(starter: FleetStarter, scenario: Scenario, options: RunOptions) {
    this.scenario = scenario;
    this.options = options;
    this.backend = starter.backend;
    this.failed = new Promise<never>((_resolve, reject) => (this.fail = reject));
    this.failed.catch(() => undefined);
    this.timers = new RunTimers(this.fail);
    this.world = new RealWorld({
      starter,
      scenario,
      seed: options.seed,
      partsFolder: options.partsFolder ?? null,
      timers: this.timers,
      onStep: (step) => options.onStep?.(step),
      fail: this.fail,
    });
    options.signal?.addEventListener('abort', this.interrupt);
  }

  async run(): Promise<History> {
    const { world, options } = this;
    world.log.record(runStarted(this.scenario, this.backend, options.seed, world.clientNames, world.nodeNames));
    let failure = await this.outcomeOf(async () => {
      if (options.signal?.aborted === true) throw new Interruption();
      await Promise.race([this.perform(), this.failed]);
    });
    const endUs = world.nowUs();
    if (failure !== null && !(failure instanceof OutputError)) failure = await this.rootOf(failure);
    const closeFailure = await this.outcomeOf(() => this.close());
    failure ??= closeFailure;
    // Ctrl-C reaches a client that has only just begun, and ends it, before this process hears of it.
    if (failure instanceof RunLostError && options.signal?.aborted === true) failure = new Interruption();
    const merged = world.merge();
    failure = this.refusalBehind(failure, merged);
    if (failure === null) {
      const mismatch = findModelMismatch(merged) ?? this.resourceMismatch;
      if (mismatch !== null) failure = new Error(`a defect of the testbed: ${mismatch}`);
    }
    const { history } = merged;
    history.record({ type: 'run-ended', timeUs: Math.max(endUs, lastUs(history)), reason: reasonOf(failure) });
    try {
      options.onEvents?.(history.since(0));
      world.forgetParts();
    } catch (error) {
      // The parts are all that is left of the history.
      throw this.toldOfParts(failure instanceof OutputError ? failure : error);
    } finally {
      world.forget();
    }
    if (failure !== null && !(failure instanceof Interruption || failure instanceof RunLostError)) throw failure;
    return history;
  }

  private async perform(): Promise<void> {
    const { scenario, world, timers } = this;
    await world.launch();
    this.options.onStep?.('the scenario goes on');
    world.begin();
    const { faults } = world;
    const nemesis = new Nemesis(faults);
    const isTimed = ({ after }: Moment): boolean => after === undefined;
    const isAtOnce = (moment: Moment): boolean => isTimed(moment) && (moment.at ?? 0) === 0;
    // Scripts that wait for an event are begun before anything happens, so that they miss none.
    const scripts = scenario.workload
      .filter((script) => !isTimed(script))
      .flatMap((script) => this.launchWhenDue(script));
    // Of the faults at the beginning, standstills come last: a client or server that stands still could not confirm that another fault is in force.
    const first = scenario.faults.filter((fault) => !isTimed(fault) || (isAtOnce(fault) && !isStandstill(fault)));
    await this.bringAbout(first, nemesis);
    const standstills = scenario.faults.filter((fault) => isAtOnce(fault) && isStandstill(fault));
    if (standstills.length > 0) await this.bringAbout(standstills, nemesis);
    nemesis.start(scenario.faults.filter((fault) => isTimed(fault) && !isAtOnce(fault)));
    scripts.push(...scenario.workload.filter(isTimed).flatMap((script) => this.launchWhenDue(script)));
    await Promise.race([Promise.all(scripts.map(({ ended }) => ended)), timers.pass(scenario.limit)]);
    world.log.record({ type: 'workload-ended', timeUs: world.nowUs() });
    for (const { callOff } of scripts) callOff();
    for (const client of world.clients.values()) client.cutOff();
    nemesis.healAll();
    await this.inTime('faults cannot be healed', nemesis.settled());
    world.log.record({ type: 'healed', timeUs: world.nowUs() });
    // A node that may have forgotten locks starts its quarantine when somebody asks it: this first round of probes only does that, and the one after it counts.
    // The phases are those of SimulatedRun, which also lets messages arrive that a fault had made late.
    if (scenario.settings.restartGuard !== undefined) await this.demandProgress();
    await timers.pass(longestKeyLifeMs(scenario));
    await this.demandProgress();
    const lookBack = async (): Promise<string | null> => {
      await world.catchUp(LAST_ANSWERS_MS);
      return world.findResourceMismatch();
    };
    this.resourceMismatch = await this.inTime('what servers did last cannot be seen', lookBack());
  }

  /** Resolves once these faults are in force, or wait for a standstill to end, so that what is wrong from the beginning is wrong before any client does anything. */
  private async bringAbout(faults: readonly Fault[], nemesis: Nemesis): Promise<void> {
    const { world, timers, scenario } = this;
    nemesis.start(faults);
    await timers.pass(0);
    await Promise.race([nemesis.settled(), world.faults.heldUp, timers.pass(scenario.limit)]);
  }

  /** Starts the script on each of its clients when its moment comes. */
  private launchWhenDue(script: Script): { callOff: () => void; ended: Promise<unknown> }[] {
    const { world, timers } = this;
    return resolveClients(script.clients, world.faults).map((name) => {
      const client = world.clients.get(name) as ClientHandle;
      let begin: () => void = () => undefined;
      const due = new Promise<void>((resolve) => (begin = resolve));
      const callOff = whenMoment(script, world.log, (delayMs, run) => timers.schedule(delayMs, run), begin);
      const ended = due.then(() => client.runScript(script));
      ended.catch(this.fail);
      return { callOff, ended };
    });
  }

  /** Once everything is healed and every lease is over, somebody must be able to lock each resource. */
  private async demandProgress(): Promise<void> {
    const { clients, clientNames } = this.world;
    for (const resource of resourcesOf(this.scenario, clientNames)) {
      for (const client of clients.values()) if (await client.probe(resource)) break;
    }
  }

  private async close(): Promise<void> {
    this.options.signal?.removeEventListener('abort', this.interrupt);
    this.timers.close();
    await this.world.close();
  }

  private inTime<Result>(otherwise: string, work: Promise<Result>): Promise<Result> {
    return within(
      ANSWER_WITHIN_MS,
      work,
      async () => new RunLostError(`${await this.world.whoHangs()} does not answer, so ${otherwise}`),
    );
  }

  /** When a program of the fleet dies, connections to it break first: it is to blame, not they. */
  private async rootOf(failure: Error): Promise<Error> {
    if (failure instanceof Interruption || failure instanceof RunLostError) return failure;
    try {
      return await within(LOOK_WITHIN_MS, this.lookForRoot(failure), () => {
        return new RunLostError(`nobody tells whether a server has ended, after: ${failure.message}`, {
          cause: failure,
        });
      });
    } catch (error) {
      // Who cannot be asked has gone the same way as the connections.
      return error instanceof RunLostError ? error : failure;
    }
  }

  private async lookForRoot(failure: Error): Promise<Error> {
    for (let looks = 0; looks < DEATH_LOOKS; looks += 1) {
      const end = await this.world.unaskedEnd();
      if (end !== null) return new RunLostError(end, { cause: failure });
      await this.timers.pass(LOOK_EVERY_MS);
    }
    return failure;
  }

  /** A server that refuses what it should do is to blame for what that breaks. */
  private refusalBehind(failure: Error | null, merged: MergedHistory): Error | null {
    if ([Interruption, RunLostError, OutputError].some((kind) => failure instanceof kind)) return failure;
    const refusal = findUnexplainedRefusal(merged);
    return refusal === null ? failure : new RunLostError(refusal, { cause: failure });
  }

  private toldOfParts(error: unknown): unknown {
    const { partsFolder } = this.options;
    if (!(error instanceof OutputError) || partsFolder === undefined) return error;
    return new OutputError(error.file, `${error.problem}; what was seen of the run is kept in ${partsFolder}`, {
      cause: error,
    });
  }

  private async outcomeOf(work: () => Promise<void>): Promise<Error | null> {
    try {
      await work();
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}

function isStandstill({ fault }: Fault): boolean {
  return fault === 'server-pause' || fault === 'client-pause';
}

function lastUs(history: History): number {
  return history.length === 0 ? 0 : history.at(history.length - 1).timeUs;
}
