import type { Moment } from '../../faults/moments.ts';
import type { NodeTarget } from '../../faults/targets.ts';
import type { DurationRange } from '../../scenario/duration.ts';
import type { Fault } from '../../scenario/fault-schema.ts';
import type { LockStep, Scenario, Script, Step } from '../../scenario/schema.ts';
import type { Trial } from '../arbitraries/scenario.ts';
import { omitting, replaced } from './simplify-parts.ts';
import { nodeNames } from '../../scenario/server-names.ts';

/** Seeds with which a counterexample is tried again. */
const SEEDS = [1, 2, 3] as const;
/** The longest latency, how much later a client or a fault begins, and how long a server takes to start: as on real servers, on a machine that is busy. */
const SLOW_MS = 20;
const LATE_MS = 50;
const START_MS = 1000;
/** How much longer a lock may live, to whose time what takes real servers long is short. */
const LONGER_TTL = 5;
const RETRIES_WITHOUT_END = -1;
const ENLARGED = 2;
/** Work that is long enough to be met by a fault that comes late, as a share of the time to live. */
const WORK_SHARE = 0.1;

/** The same with other seeds, on a slow network, with servers that are slow to start, and with faults, or one script or another, beginning later: what breaks in all of them hangs on no race. */
export function variantsOf({ scenario }: Trial): readonly Trial[] {
  const { network, workload } = scenario;
  const maxMs = Math.max(network.latency.maxMs, SLOW_MS);
  const slowStarts = scenario.faults.map((fault) => startingLater(fault, START_MS));
  const inTime: readonly Scenario[] = [
    scenario,
    { ...scenario, network: { latency: { minMs: network.latency.minMs, maxMs } } },
    { ...scenario, faults: scenario.faults.map((fault) => strikingLater(fault, LATE_MS)) },
    ...workload.map((script, index) => ({
      ...scenario,
      workload: replaced(workload, index, beginningLater(script, LATE_MS)),
    })),
  ];
  const restarts = scenario.faults.some(({ fault }) => fault === 'crash');
  const worlds = restarts ? [...inTime, ...inTime.map((world) => ({ ...world, faults: slowStarts }))] : inTime;
  return worlds.flatMap((world) => SEEDS.map((seed) => ({ scenario: world, seed })));
}

function startingLater(fault: Fault, byMs: number): Fault {
  return fault.fault === 'crash' && fault.for !== undefined ? { ...fault, for: fault.for + byMs } : fault;
}

/** What is wrong from the beginning is so before anybody does anything, on real servers too. */
function strikingLater(fault: Fault, byMs: number): Fault {
  return fault.after === undefined && (fault.at ?? 0) === 0 ? fault : beginningLater(fault, byMs);
}

function beginningLater<Part extends Moment>(part: Part, byMs: number): Part {
  const { at, after } = part;
  return after === undefined
    ? { ...part, at: (at ?? 0) + byMs }
    : { ...part, after: { ...after, delay: (after.delay ?? 0) + byMs } };
}

/** Trials no larger than this one that may hang less on who comes first: clients wait for each other, try on, and meet faults that reach further. */
export function* sturdierTrials({ scenario, seed }: Trial): Generator<Trial> {
  for (const sturdier of sturdierScenarios(scenario)) yield { scenario: sturdier, seed };
}

function* sturdierScenarios(scenario: Scenario): Generator<Scenario> {
  const { workload, faults, settings } = scenario;
  for (const turns of withTurns(workload)) yield { ...scenario, workload: turns };
  for (const [index, script] of workload.entries()) {
    for (const sturdier of sturdierScripts(script, settings.ttl)) {
      yield { ...scenario, workload: replaced(workload, index, sturdier) };
    }
  }
  const ttl = settings.ttl * LONGER_TTL;
  const limit = Math.max(scenario.limit, ttl * LONGER_TTL);
  yield { ...scenario, settings: { ...settings, ttl }, limit };
  const clients = Object.keys(scenario.clients);
  for (const [index, fault] of faults.entries()) {
    for (const sturdier of sturdierFaults(fault, clients, settings.nodes)) {
      yield { ...scenario, faults: replaced(faults, index, sturdier) };
    }
  }
}

/** Workloads in which one script begins when a client of another has the lock. */
export function* withTurns(workload: readonly Script[]): Generator<Script[]> {
  for (const [index, { after, clients, ...script }] of workload.entries()) {
    if (after !== undefined) continue;
    for (const first of new Set(workload.map((each) => each.clients))) {
      if (typeof first !== 'string' || first === clients) continue;
      const later = { ...omitting(script, 'at'), clients, after: { event: 'acquire-granted' as const, client: first } };
      yield replaced(workload, index, later);
    }
  }
}

function* sturdierScripts(script: Script, ttlMs: number): Generator<Script> {
  for (const [index, step] of script.steps.entries()) {
    const sturdier = sturdierStep(step, ttlMs);
    if (sturdier !== null) yield { ...script, steps: replaced(script.steps, index, sturdier) };
  }
}

function sturdierStep(step: Step, ttlMs: number): Step | null {
  // A write is over at once; work can be met by a fault that comes late.
  if (step === 'write') return { work: longer({ minMs: 0, maxMs: 0 }, ttlMs) };
  if (step === 'release') return null;
  if ('acquire' in step) return isPatient(step.acquire) ? null : { acquire: patient(step.acquire) };
  if ('using' in step) {
    const work = longer(step.using.work, ttlMs);
    return { using: isPatient(step.using) ? { ...step.using, work } : patient(step.using) };
  }
  if ('extend' in step || 'close' in step) return null;
  return { work: longer('work' in step ? step.work : step.rest, ttlMs) };
}

function isPatient({ retryCount, giveUpAfter, deadline }: LockStep): boolean {
  return retryCount === RETRIES_WITHOUT_END && giveUpAfter === undefined && deadline === undefined;
}

/** Whoever does not get the lock in time tries on. */
function patient<Lock extends LockStep>(lock: Lock): Lock {
  const untimed = omitting(omitting(lock as LockStep, 'giveUpAfter'), 'deadline');
  return { ...untimed, retryCount: RETRIES_WITHOUT_END } as unknown as Lock;
}

function longer({ maxMs }: DurationRange, ttlMs: number): DurationRange {
  const longerMs = Math.max(maxMs * ENLARGED, ttlMs * WORK_SHARE);
  return { minMs: longerMs, maxMs: longerMs };
}

function* sturdierFaults(fault: Fault, clients: readonly string[], nodes: number): Generator<Fault> {
  const { at, after, ...body } = fault;
  for (const moment of steadierMoments({ at, after }, clients)) yield { ...body, ...moment };
  if ('nodes' in fault) for (const target of widerTargets(fault.nodes, nodes)) yield { ...fault, nodes: target };
  // One who never comes back is not late.
  if (fault.fault === 'client-pause' && fault.clients === 'all') {
    for (const client of clients) yield { ...omitting(fault, 'for'), clients: client };
  }
  if (fault.fault === 'client-pause' && fault.for !== undefined) yield omitting(fault, 'for');
  if (fault.fault === 'clock-jump') yield { ...fault, by: fault.by * ENLARGED };
  if (fault.fault === 'latency') {
    const maxMs = fault.delay.maxMs * ENLARGED;
    yield { ...fault, delay: { minMs: maxMs, maxMs } };
  }
}

/** When somebody has got the lock, whenever that is. */
function* steadierMoments({ after }: Moment, clients: readonly string[]): Generator<Moment> {
  for (const client of clients) {
    if (after?.event === 'acquire-granted' && after.client === client) continue;
    yield { after: { event: 'acquire-granted', client } };
  }
}

function* widerTargets(target: NodeTarget, nodes: number): Generator<NodeTarget> {
  const isNamed = Array.isArray(target) || (typeof target === 'string' && /^n\d+$/.test(target));
  if (!isNamed) return;
  const reached = Array.isArray(target) ? target.length : 1;
  for (let count = reached + 1; count <= nodes; count += 1) {
    yield nodeNames(count);
  }
}
