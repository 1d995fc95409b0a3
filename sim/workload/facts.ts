import type { Scenario } from '../scenario/schema.ts';
import { resourceOf } from './run-script.ts';

/** The longest time to live, in milliseconds, that any step of a scenario asks for. */
export function longestTtlMs(scenario: Scenario): number {
  let longestMs = scenario.settings.ttl;
  for (const { steps } of scenario.workload) {
    for (const step of steps) {
      if (typeof step === 'string') continue;
      if ('acquire' in step) longestMs = Math.max(longestMs, step.acquire.ttl ?? 0);
      else if ('extend' in step) longestMs = Math.max(longestMs, step.extend);
    }
  }
  return longestMs;
}

/** The resources that the workload of a scenario locks, in the order in which they come up. */
export function resourcesOf(scenario: Scenario, clients: readonly string[]): readonly string[] {
  const resources = new Set<string>();
  for (const script of scenario.workload) {
    for (const client of namesOf(script.clients, clients)) {
      for (const step of script.steps) {
        if (typeof step === 'object' && 'acquire' in step) resources.add(resourceOf(step.acquire.resource, client));
      }
    }
  }
  return [...resources];
}

function namesOf(target: string | readonly string[], clients: readonly string[]): readonly string[] {
  if (target === 'all') return clients;
  return typeof target === 'string' ? [target] : target;
}
