import fc from 'fast-check';
import { trials as drawnTrials } from '../explore/arbitraries/scenario.ts';
import type { BoundName } from '../explore/envelope/envelope.ts';
import { scenarioFields, scenarioYaml } from '../scenario/write-yaml.ts';
import type { Scenario } from '../scenario/schema.ts';
import type { ScenarioInput } from '../vitest/scenario-input.ts';
import { envelopeWithout, GIVEN_NAMES, type GivenInput, givenParts, refuseOthers } from './given.ts';

/** What is given of every scenario, and which worlds are drawn. */
export interface TrialOptions extends GivenInput {
  /** The bounds of the envelope that need not hold (none). */
  readonly outside?: readonly BoundName[] | undefined;
}

/** A scenario, and the seed with which to run it: what `scenario(trial.scenario, { seed: trial.seed })` of `distrilock/vitest` takes. */
export interface Trial {
  readonly scenario: ScenarioInput;
  readonly seed: number;
}

/**
 * Scenarios in which a fault schedule, and what else is not given, is drawn inside the envelope of what Redlock takes for granted, but for the bounds that
 * are left open. fast-check shrinks each part by itself, and prints what fails as a scenario file. Throws a ScenarioError or a TypeError that says
 * what is wrong with the options.
 */
export function trials(options: TrialOptions = {}): fc.Arbitrary<Trial> {
  refuseOthers(options, [...GIVEN_NAMES, 'outside'], 'trials');
  const { outside = [], ...given } = options;
  return drawnTrials(envelopeWithout(outside), givenParts(given)).map(
    ({ scenario, seed }) => new DrawnTrial(scenario, seed),
  );
}

/** Prints itself as a scenario file, which is shorter than what it is made of, and can be run. */
class DrawnTrial implements Trial {
  readonly scenario: ScenarioInput;
  readonly seed: number;

  constructor(scenario: Scenario, seed: number) {
    this.scenario = inputOf(scenario);
    this.seed = seed;
    Object.defineProperty(this, fc.toStringMethod, {
      value: () => `with seed ${seed}, this scenario:\n\n${scenarioYaml(scenario)}`,
    });
  }
}

/** As a test would write it: no prose, and nothing that must have happened, for who knows what of all that was drawn did. */
export function inputOf(scenario: Scenario): ScenarioInput {
  const { settings, clients, nodes, network, faults, workload, limit } = scenarioFields(scenario) as ScenarioInput;
  const parts = { settings, clients, nodes, network, faults, workload, limit, happened: [] };
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
}
