import { driftAllowanceMs } from '../../../src/validity.ts';
import { RESOURCE } from '../../scenario/server-names.ts';
import type { ClientTarget, NodeTarget } from '../../faults/targets.ts';
import { keyLifeUs } from '../../history/tables/key-life.ts';
import { clockDriftFactorOf } from '../../scenario/clock-drift.ts';
import type { Fault } from '../../scenario/fault-schema.ts';
import type { Scenario, Script } from '../../scenario/schema.ts';
import { clientRates, lockOfStep, pausesMs, ttlsMs } from '../../workload/facts.ts';
import { nodeTimeoutMs } from '../../../src/node-timeout.ts';
import { type BoundName, type Envelope, LARGEST_STEP_MS, SLACK_SHARE } from './envelope.ts';

/** Rates are products of a few roundings. */
const RATE_TOLERANCE = 1e-9;
/** What a write or its failure takes beyond two messages: the news of a broken connection, and a new one. */
const MESSAGES_OF_WRITE = 6;

/** The bounds of the envelope that a scenario oversteps, whatever its workload comes to meet. Follows from the scenario alone. */
export function overstepped(scenario: Scenario): ReadonlySet<BoundName> {
  const names = new Set<BoundName>();
  if (!clockRatesAreBounded(scenario)) names.add('clock-rate');
  if (!clockStepsAreBounded(scenario)) names.add('clock-jump');
  if (pausesMs(scenario) > slackMs(scenario)) names.add('client-pause');
  if (hindrancesMs(scenario) > slackMs(scenario)) names.add('message-delay');
  for (const fault of scenario.faults) {
    if (forgetsByRestart(scenario, fault)) names.add('restart');
    if (fault.fault === 'eviction' && scenario.nodes.maxmemoryPolicy !== 'noeviction') names.add('eviction');
    if (fault.fault === 'promotion' && fault.lag > 0 && !isGuarded(scenario)) names.add('promotion');
  }
  return names;
}

/** Whether the scenario oversteps no bound but those that are open. */
export function isWithin(scenario: Scenario, { open }: Envelope): boolean {
  for (const bound of overstepped(scenario)) if (!open.includes(bound)) return false;
  return true;
}

/**
 * Whether every script, if it is granted the lock at the last moment, leaves its critical section while the lock is still valid, pauses
 * and hindrances inside the envelope included: then nobody else can be inside. Time in the section is
 * what the acquire may have used up (a node timeout; with fencing, another), all work, a node timeout for each extension, the
 * messages of each write, and the slack of pauses and of hindrances; all of that by the slowest clock of a client.
 */
export function leavesInTime(scenario: Scenario): boolean {
  const { least } = clientRates(scenario);
  return scenario.workload.every((script) => {
    const ttlMs = shortestAcquireTtlMs(script, scenario.settings.ttl);
    const factor = clockDriftFactorOf(scenario);
    const validityMs = ttlMs - driftAllowanceMs(ttlMs, factor);
    const shareMs = 2 * slackMs(scenario);
    return (longestSectionMs(scenario, script, ttlMs) + shareMs) / Math.min(1, least) <= validityMs;
  });
}

/** How many milliseconds pauses of clients, or hindrances on the way to the protected resource, may take in all. */
function slackMs(scenario: Scenario): number {
  return SLACK_SHARE * shortestTtlMs(scenario);
}

/** The longest down time after which nobody can miss what a node forgot, in milliseconds: the longest that a key could have lived. */
export function longestLifeMs(scenario: Scenario): number {
  return keyLifeUs(Math.max(...ttlsMs(scenario)), clockDriftFactorOf(scenario)) / 1000;
}

/** Whether a fault hinders writes to the protected resource, and not only commands to nodes. */
function touchesResource(nodes: NodeTarget): boolean {
  return Array.isArray(nodes) ? nodes.includes(RESOURCE) : nodes === RESOURCE;
}

function clockRatesAreBounded(scenario: Scenario): boolean {
  let fastestNode = 1;
  for (const fault of scenario.faults)
    if (fault.fault === 'clock-drift') fastestNode = Math.max(fastestNode, fault.rate);
  const { least, most } = clientRates(scenario);
  const factor = clockDriftFactorOf(scenario);
  // A client that is too fast makes nobody unsafe, but finds its locks over before it has them.
  return fastestNode / least <= 1 / (1 - factor) + RATE_TOLERANCE && most <= 1 + factor + RATE_TOLERANCE;
}

/**
 * Whether clocks step by no more than the drift allowance bears. A client that tells elapsed time by its wall clock relies on its lock for longer when that is
 * set back, as if the clocks of all nodes had been set forward, and the other way round.
 */
function clockStepsAreBounded(scenario: Scenario): boolean {
  let forwardMs = 0;
  let backMs = 0;
  for (const fault of scenario.faults) {
    if (fault.fault === 'clock-jump') {
      if (fault.by > 0) forwardMs += fault.by;
      else backMs -= fault.by;
    } else if (fault.fault === 'clock-strobe') {
      forwardMs += Math.abs(fault.by);
      backMs += Math.abs(fault.by);
    } else if (fault.fault === 'client-clock-jump' && reachesWallReader(fault.clients, scenario)) {
      if (fault.by < 0) forwardMs -= fault.by;
      else backMs += fault.by;
    }
  }
  return forwardMs <= LARGEST_STEP_MS && backMs <= clockDriftFactorOf(scenario) * shortestTtlMs(scenario);
}

function reachesWallReader(target: ClientTarget, { clients }: Scenario): boolean {
  // Who holds the lock then is not known now.
  const isAnybody = target === 'all' || target === 'holder';
  const names = isAnybody ? Object.keys(clients) : [target].flat();
  return names.some((name) => clients[name]?.clock === 'wall');
}

/** How much later all faults together can make the writes of one section, or the news that they are lost. */
function hindrancesMs({ faults, workload }: Scenario): number {
  const mostWrites = Math.max(
    ...workload.map(({ steps }) => steps.filter((step) => step === 'write').length * mostResources(steps)),
  );
  let sumMs = 0;
  for (const fault of faults) {
    if (!('clients' in fault) || !('nodes' in fault) || !touchesResource(fault.nodes)) continue;
    switch (fault.fault) {
      case 'latency':
        sumMs += mostWrites * fault.delay.maxMs * (fault.direction === 'both' ? 2 : 1);
        break;
      case 'slow-close':
        sumMs += mostWrites * fault.delay;
        break;
      case 'reset':
        break;
      case 'bandwidth':
      case 'slicer':
        // What it slows down may arrive long after it is over.
        return Number.POSITIVE_INFINITY;
      default:
        // The client learns what was lost when the fault is over, and its connection is made anew.
        sumMs += fault.for ?? Number.POSITIVE_INFINITY;
    }
  }
  return sumMs;
}

/**
 * Whether nodes that may have forgotten locks do not vote until those are over: the library refuses a time to live above the guard's. It does not keep
 * counters of fencing tokens from being lost, which the hints of right wall clocks make good.
 */
function isGuarded({ settings, ...others }: Scenario): boolean {
  return settings.restartGuard !== undefined && (!settings.fencing || wallClocksAreRight(others));
}

function forgetsByRestart(scenario: Scenario, fault: Fault): boolean {
  if (isGuarded(scenario)) return false;
  if (fault.fault === 'flush') return true;
  if (fault.fault !== 'crash' || isDurable(scenario, fault.how)) return false;
  // A fault without an end is healed when the workload is over, and nobody but probes comes after that, when all leases are over.
  const downMs = fault.for ?? Number.POSITIVE_INFINITY;
  return downMs < longestLifeMs(scenario) || (scenario.settings.fencing && !wallClocksAreRight(scenario));
}

function isDurable({ nodes }: Scenario, how: Extract<Fault, { fault: 'crash' }>['how']): boolean {
  switch (nodes.persistence) {
    case 'none':
      return false;
    case 'aof-always':
      return true;
    case 'rdb':
      // Redis saves before it stops.
      return how === 'terminate';
    case 'aof-everysec':
    case 'aof-no':
      return how !== 'power-loss';
  }
}

/** Tokens begin with the wall clocks' hints where counters are lost, so that those must agree. */
function wallClocksAreRight({ clients, faults }: Pick<Scenario, 'clients' | 'faults'>): boolean {
  return (
    Object.values(clients).every(({ rate, wallOffset }) => rate === 1 && wallOffset === 0) &&
    !faults.some(({ fault }) => fault === 'client-clock-jump' || fault === 'client-clock-drift')
  );
}

function shortestTtlMs(scenario: Scenario): number {
  return Math.min(...ttlsMs(scenario));
}

function shortestAcquireTtlMs({ steps }: Script, defaultMs: number): number {
  const all: number[] = [];
  for (const step of steps) {
    const lock = lockOfStep(step);
    if (lock !== null) all.push(lock.ttl ?? defaultMs);
  }
  return Math.min(...all, Number.POSITIVE_INFINITY);
}

function longestSectionMs(scenario: Scenario, { steps }: Script, ttlMs: number): number {
  const { nodeTimeout, fencing } = scenario.settings;
  const factor = clockDriftFactorOf(scenario);
  const acquireMs = nodeTimeoutMs(nodeTimeout ?? null, ttlMs, factor) * (fencing ? 2 : 1);
  const writeMs = MESSAGES_OF_WRITE * scenario.network.latency.maxMs;
  // The signal of using ends the work in time, whoever runs; one that is paused may be too late.
  const isSignalled = pausesMs(scenario) === 0;
  let longestMs = 0;
  let sumMs = 0;
  for (const step of steps) {
    if (step === 'release') sumMs = Number.NEGATIVE_INFINITY;
    // Of several resources, one after the other is written to.
    else if (step === 'write') sumMs += writeMs * mostResources(steps);
    else if ('acquire' in step) sumMs = acquireMs;
    else if ('using' in step) {
      longestMs = Math.max(longestMs, isSignalled ? 0 : acquireMs + step.using.work.maxMs);
      sumMs = Number.NEGATIVE_INFINITY;
    } else if ('work' in step) sumMs += step.work.maxMs;
    else if ('rest' in step) sumMs += step.rest.maxMs;
    else if ('extend' in step && step.beside !== true) sumMs += nodeTimeoutMs(nodeTimeout ?? null, step.extend, factor);
    longestMs = Math.max(longestMs, sumMs);
  }
  return longestMs;
}

function mostResources(steps: Script['steps']): number {
  return Math.max(1, ...steps.map((step) => [lockOfStep(step)?.resource ?? []].flat().length));
}
