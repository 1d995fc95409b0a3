import type { GivenParts } from '../explore/arbitraries/world.ts';
import { BOUND_NAMES, type BoundName, type Envelope } from '../explore/envelope/envelope.ts';
import type { ScenarioInput } from '../vitest/scenario-input.ts';
import { scenarioFrom } from '../vitest/scenario-source.ts';

/** What is given of every scenario, with the keys of a scenario file; the rest is drawn. A workload without clients is that of c1, c2 and c3. */
export type GivenInput = Pick<ScenarioInput, 'settings' | 'clients' | 'network' | 'nodes' | 'workload' | 'limit'>;

const GIVEN = ['settings', 'clients', 'network', 'nodes', 'workload', 'limit'] as const;

/** The parts that are given, checked. Throws a ScenarioError that lists everything that is wrong with them. */
export function givenParts(input: GivenInput): GivenParts {
  const named = GIVEN.filter((name) => input[name] !== undefined);
  // A workload speaks of clients, and of settings: what is left out of them is as in a test.
  const { settings, clients, network, nodes, workload, limit } = scenarioFrom(
    Object.fromEntries(named.map((name) => [name, input[name]])),
  );
  const hasWorkload = named.includes('workload');
  return {
    ...(named.includes('settings') ? { settings } : {}),
    ...(named.includes('clients') || hasWorkload ? { clients } : {}),
    ...(named.includes('network') ? { network } : {}),
    ...(named.includes('nodes') ? { nodes } : {}),
    ...(hasWorkload ? { workload } : {}),
    // Work that is given takes its own time.
    ...(named.includes('limit') || hasWorkload ? { limit } : {}),
  };
}

/** The envelope that these bounds are left open of. Throws a TypeError that lists the bounds there are. */
export function envelopeWithout(outside: readonly BoundName[]): Envelope {
  for (const name of outside) {
    if (BOUND_NAMES.includes(name)) continue;
    throw new TypeError(`outside: there is no bound ${JSON.stringify(name)}; allowed: ${BOUND_NAMES.join(', ')}`);
  }
  return { open: BOUND_NAMES.filter((name) => outside.includes(name)) };
}

/** Throws a TypeError for an option that there is not. */
export function refuseOthers(options: object, allowed: readonly string[], what: string): void {
  for (const name of Object.keys(options)) {
    if (allowed.includes(name)) continue;
    throw new TypeError(`${what} has no option ${JSON.stringify(name)}; allowed: ${allowed.join(', ')}`);
  }
}

export const GIVEN_NAMES: readonly string[] = GIVEN;
