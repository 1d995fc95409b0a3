import type { AdmitCommand } from '../../src/lock-node.ts';
import { quorumOf } from '../../src/quorum.ts';
import { type RestartGuard, restartGuardOf } from '../../src/restart-guard.ts';
import type { RunStarted } from '../history/event.ts';
import { clockDriftFactorOf } from '../scenario/clock-drift.ts';
import type { LockStep, Scenario, Step } from '../scenario/schema.ts';
import { resourcesOfStep } from './lock-calls.ts';

/** Keys expire by whole milliseconds, and news takes a moment: what is waited for beyond the longest time to live. */
const MARGIN_MS = 10;

/** What the keys of locks begin with, in every world. */
export const KEY_PREFIX = 'lock:';

/** How often a client tries again, when faults are healed, that otherwise never stops trying. */
const RETRIES_OF_ENDLESS = 3;

/**
 * How often a probe tries again. Who would try without end in vain must come to one: that nobody got the lock is for a checker to
 * say.
 */
export function probeRetryCount(retryCount: number | undefined): number | undefined {
  return retryCount === -1 ? RETRIES_OF_ENDLESS : retryCount;
}

/** The first event of a run's history. */
export function runStarted(
  scenario: Scenario,
  backend: string,
  seed: number,
  clients: readonly string[],
  nodes: readonly string[],
): RunStarted {
  return {
    type: 'run-started',
    timeUs: 0,
    format: 1,
    scenario: scenario.name,
    title: scenario.title,
    backend,
    seed,
    clients,
    nodes,
    quorum: quorumOf(nodes.length),
    longestTtlMs: longestTtlMs(scenario),
    clockDriftFactor: clockDriftFactorOf(scenario),
    fencing: scenario.settings.fencing,
    clocks: Object.fromEntries(
      Object.entries(scenario.clients).map(([client, { clock, rate }]) => [client, { clock, rate }]),
    ),
  };
}

/** How long, in milliseconds, a key can live on a node whose clock is as slow as the settings allow. */
export function longestKeyLifeMs(scenario: Scenario): number {
  return longestTtlMs(scenario) * (1 + clockDriftFactorOf(scenario)) + MARGIN_MS;
}

/** The restart guard by which the clients of a scenario lock; null without. */
export function restartGuardOfScenario(scenario: Scenario): RestartGuard | null {
  const longestMs = scenario.settings.restartGuard;
  return longestMs === undefined ? null : restartGuardOf(KEY_PREFIX, longestMs, clockDriftFactorOf(scenario));
}

/** What lets a node vote when a run begins: its nodes are new, and have nothing to forget. */
export function admissionBy({ markerKey, quarantineKey }: RestartGuard): AdmitCommand {
  return { kind: 'admit', key: markerKey, quarantineKey, timeoutMs: 0 };
}

/** The longest time to live, in milliseconds, that any step of a scenario asks for, or that its restart guard reckons with. */
function longestTtlMs(scenario: Scenario): number {
  return Math.max(...ttlsMs(scenario), scenario.settings.restartGuard ?? 0);
}

/** Every time to live that any client may ask for. */
export function ttlsMs({ settings, workload }: Scenario): number[] {
  const all = [settings.ttl];
  for (const { steps } of workload) {
    for (const step of steps) {
      const ttlMs = typeof step === 'object' && 'extend' in step ? step.extend : lockOfStep(step)?.ttl;
      if (ttlMs !== undefined) all.push(ttlMs);
    }
  }
  return all;
}

/** The slowest and the fastest clock of any client at any time, 1 being true. */
export function clientRates({ clients, faults }: Scenario): { readonly least: number; readonly most: number } {
  const rates = Object.values(clients).map(({ rate }) => rate);
  for (const fault of faults) if (fault.fault === 'client-clock-drift') rates.push(fault.rate);
  return { least: Math.min(...rates, 1), most: Math.max(...rates, 1) };
}

/** How long clients are paused in all; Infinity with a pause that has no end of its own. */
export function pausesMs({ faults }: Scenario): number {
  let sumMs = 0;
  for (const fault of faults) if (fault.fault === 'client-pause') sumMs += fault.for ?? Number.POSITIVE_INFINITY;
  return sumMs;
}

/** What a step locks, if it does. */
export function lockOfStep(step: Step): LockStep | null {
  if (typeof step === 'string') return null;
  if ('acquire' in step) return step.acquire;
  return 'using' in step ? step.using : null;
}

/** The resources that the workload of a scenario locks, in the order in which they come up. */
export function resourcesOf(scenario: Scenario, clients: readonly string[]): readonly string[] {
  const resources = new Set<string>();
  for (const script of scenario.workload) {
    for (const client of namesOf(script.clients, clients)) {
      for (const step of script.steps) {
        const lock = lockOfStep(step);
        if (lock === null) continue;
        for (const resource of resourcesOfStep(lock.resource, client)) resources.add(resource);
      }
    }
  }
  return [...resources];
}

function namesOf(target: string | readonly string[], clients: readonly string[]): readonly string[] {
  if (target === 'all') return clients;
  return typeof target === 'string' ? [target] : target;
}
