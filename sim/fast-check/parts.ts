import type fc from 'fast-check';
import { envelopes as drawnEnvelopes } from '../explore/arbitraries/envelope.ts';
import { cook, faultRecipes } from '../explore/arbitraries/faults.ts';
import { keepWithin } from '../explore/arbitraries/scenario.ts';
import { settings as drawnSettings } from '../explore/arbitraries/settings.ts';
import { workloads as drawnWorkloads } from '../explore/arbitraries/workload.ts';
import { worldOf } from '../explore/arbitraries/world.ts';
import { type BoundName, WHOLE_ENVELOPE } from '../explore/envelope/envelope.ts';
import type { Scenario, Script } from '../scenario/schema.ts';
import type { FaultInput } from '../vitest/fault-input.ts';
import type { ScenarioInput, ScriptInput, SettingsInput } from '../vitest/scenario-input.ts';
import { scenarioFrom } from '../vitest/scenario-source.ts';
import { envelopeWithout, refuseOthers } from './given.ts';
import { inputOf } from './trials.ts';

/** Settings that somebody might run with, one node and slow votes among them. */
export function settings(): fc.Arbitrary<SettingsInput> {
  return drawnSettings().map(({ settings: drawn }) => drawn);
}

/** Which bounds of the envelope are left open: what `outside` takes. The whole envelope is the simplest. */
export function envelopes(): fc.Arbitrary<readonly BoundName[]> {
  return drawnEnvelopes.map(({ open }) => open);
}

/**
 * What clients do: they take locks, work, write, prolong, and give the locks back or let them expire. With `overstays`, some stay in their sections for longer
 * than their locks live. `scenario` says for which settings and clients (its defaults are those of a test). Throws a ScenarioError.
 */
export function workloads(
  scenario: Pick<ScenarioInput, 'settings' | 'clients'> = {},
  options: { readonly overstays?: boolean } = {},
): fc.Arbitrary<readonly ScriptInput[]> {
  refuseOthers(scenario, ['settings', 'clients'], 'workloads');
  refuseOthers(options, ['overstays'], 'workloads');
  const base = scenarioFrom(scenario);
  const world = worldOf(base.settings, Object.keys(base.clients), base.nodes, WHOLE_ENVELOPE);
  return drawnWorkloads({ overstays: options.overstays === true, writesOften: false }).map(
    ({ scripts }) => inputOf({ ...base, workload: cook<Script>(scripts, world) }).workload ?? [],
  );
}

/**
 * Fault schedules for a scenario: flat lists of what goes wrong and when, inside the envelope but for the bounds of `outside`. Faults that the
 * scenario has already count. Throws a ScenarioError, or a TypeError that names a bound there is not.
 */
export function faultSchedules(
  scenario: ScenarioInput = {},
  options: { readonly outside?: readonly BoundName[] } = {},
): fc.Arbitrary<readonly FaultInput[]> {
  refuseOthers(options, ['outside'], 'faultSchedules');
  const envelope = envelopeWithout(options.outside ?? []);
  const base: Scenario = scenarioFrom(scenario);
  const world = worldOf(base.settings, Object.keys(base.clients), base.nodes, envelope);
  return faultRecipes(envelope).map((recipes) => {
    // A promotion wants a replica, which a scenario has or has not.
    const schedule = cook(recipes, world).filter(({ fault }) => fault !== 'promotion' || base.nodes.replica);
    const kept = keepWithin(envelope, base, schedule).faults.slice(base.faults.length);
    return inputOf({ ...base, faults: kept }).faults ?? [];
  });
}
