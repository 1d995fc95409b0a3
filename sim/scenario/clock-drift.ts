import type { Scenario } from './schema.ts';

/** The library's default, which holds where a scenario names none; see its options. */
const DEFAULT_CLOCK_DRIFT_FACTOR = 0.01;

/** By which share of a time to live the clocks of nodes and clients may drift apart meanwhile, by the settings of a scenario. */
export function clockDriftFactorOf({
  settings,
}: {
  readonly settings: Pick<Scenario['settings'], 'clockDriftFactor'>;
}): number {
  return settings.clockDriftFactor ?? DEFAULT_CLOCK_DRIFT_FACTOR;
}
