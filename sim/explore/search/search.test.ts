import { describe, expect, it } from 'vitest';
import { PROPERTIES } from '../../checkers/verdict.ts';
import { parseScenario } from '../../scenario/load-text.ts';
import { trials } from '../arbitraries/scenario.ts';
import { counterexampleFile } from '../counterexample/counterexample.ts';
import { BOUND_NAMES, BOUNDS, WHOLE_ENVELOPE } from '../envelope/envelope.ts';
import { execute } from '../execute.ts';
import { findingsOf, isDefect } from '../finding.ts';
import { fingerprintOf } from './fingerprint.ts';
import { findViolation, keysBetween, search } from './search.ts';
import { shrink, shrinkTrial } from '../shrink/shrink.ts';
import { variantsOf } from '../shrink/sturdier.ts';
import { trialAt, trialAtPath } from './trial-at.ts';

const SEED = 1;
/** Enough for every bound with any seed that was tried, and some seconds. */
const RUNS = 5000;

describe.each(BOUND_NAMES)('outside %s', (bound) => {
  it('something breaks that this bound keeps from breaking, and becomes a small scenario that shows it', async () => {
    const envelope = { open: [bound] };
    const violation = await findViolation(SEED, RUNS, envelope);
    expect(violation).not.toBeNull();
    if (violation === null) return;
    const { finding, trial, path, key } = violation;
    expect(finding.because).toEqual([bound]);
    expect(BOUNDS[bound].breaks).toContain(finding.symptom);
    expect(trial.scenario.faults.length).toBeLessThanOrEqual(2);
    expect(Object.keys(trial.scenario.clients)).toHaveLength(2);

    const replay = `npx distrilock explore --outside ${bound} --seed 1 --path ${path}`;
    const { text, name, scenario } = counterexampleFile(violation, await execute(trial), replay);
    expect(parseScenario(text, `${name}.yaml`, name)).toEqual(scenario);
    expect(scenario.title).toContain(BOUNDS[bound].outside);
    expect(scenario.lesson).toContain(finding.message.slice(0, 40));
    const again = await execute({ scenario, seed: trial.seed });
    expect(findingsOf({ scenario, seed: trial.seed }, again).map(({ symptom }) => symptom)).toContain(finding.symptom);
    for (const { property, status } of again.verdicts) {
      if (status !== 'unknown') expect([property, scenario.expect[property]]).toEqual([property, status]);
    }

    // It hangs on no race: it breaks with other seeds, on a slow network, and whoever comes later, so that real servers show it, too.
    for (const variant of variantsOf(trial)) {
      const broken = findingsOf(variant, await execute(variant)).map(({ symptom }) => symptom);
      expect(broken).toContain(finding.symptom);
    }

    // What stands at the path is what fast-check came to, from the run of that number.
    const drawn = trialAtPath(trials(envelope), SEED, path);
    const atPath = findingsOf(drawn, await execute(drawn)).find(({ symptom }) => symptom === finding.symptom);
    expect(atPath).toBeDefined();
    expect(Number(path.split(':')[0])).toBe(key.index);
    if (atPath !== undefined) expect((await shrinkTrial(drawn, atPath, path, envelope)).trial).toEqual(trial);
  });
});

it('inside the envelope nothing breaks', async () => {
  const { runs, hit, coverage } = await search({
    keys: keysBetween(SEED, 0, 1500),
    envelope: WHOLE_ENVELOPE,
    properties: PROPERTIES,
  });
  expect(hit).toBeNull();
  expect(runs).toBe(1500);
  // Faults begin in every phase of the protocol.
  const phases = new Set(Object.keys(coverage).map((cell) => cell.split(' ')[1]));
  expect([...phases].sort()).toEqual(
    ['decided', 'expiring', 'extending', 'holding', 'idle', 'overdue', 'releasing', 'voting', 'writing'].sort(),
  );
});

it('a run follows from seed and number alone, byte for byte', async () => {
  const envelope = { open: BOUND_NAMES };
  for (const key of keysBetween(3, 0, 40)) {
    const [one, other] = [trials(envelope), trials(envelope)].map((each) => trialAt(each, key.seed, key.index));
    if (one === undefined || other === undefined) throw new Error('nothing was drawn');
    expect(one).toEqual(other);
    const [first, second] = [await execute(one), await execute(other)];
    if (first.history === null || second.history === null) throw new Error('a run failed');
    expect(fingerprintOf(key, first.history)).toBe(fingerprintOf(key, second.history));
  }
});

it('making a run small ends when it is interrupted, with the smallest so far', async () => {
  const envelope = { open: ['clock-rate'] as const };
  const { hit } = await search({ keys: keysBetween(SEED, 0, RUNS), envelope, properties: ['mutual-exclusion'] });
  if (hit === null) throw new Error('nothing was found');
  const whole = await shrink(hit, envelope);
  const atOnce = await shrink(hit, envelope, AbortSignal.abort('SIGINT'));
  expect(atOnce).toMatchObject({ executions: 0, path: `${hit.key.index}`, finding: hit.finding });
  const controller = new AbortController();
  setTimeout(() => controller.abort('SIGINT'), 50);
  const partly = await shrink(hit, envelope, controller.signal);
  expect(partly.executions).toBeLessThan(whole.executions);
  expect(partly.finding.symptom).toBe(hit.finding.symptom);
});

it('what is violated inside the envelope, or for no bound that is open, is a defect', async () => {
  const violation = await findViolation(SEED, RUNS, { open: ['restart'] });
  if (violation === null) throw new Error('nothing was found');
  const { scenario } = violation.trial;
  const execution = await execute(violation.trial);
  expect(findingsOf(violation.trial, execution).every(isDefect)).toBe(false);
  // The same history, had its faults been such as may happen.
  const harmless = { ...violation.trial, scenario: { ...scenario, faults: [] } };
  const [finding] = findingsOf(harmless, execution);
  expect(finding).toMatchObject({ symptom: violation.finding.symptom, because: [] });
  const file = counterexampleFile({ ...violation, finding: finding as never }, execution, '');
  expect(file.name).toBe(`defect-${violation.finding.symptom}`);
  expect(file.scenario.expect).toMatchObject({ [violation.finding.symptom]: 'ok' });
});

it('a run that throws is a finding', async () => {
  const trial = trialAt(trials(WHOLE_ENVELOPE), SEED, 0);
  const broken = { ...trial, scenario: { ...trial.scenario, settings: { ...trial.scenario.settings, nodes: 0 } } };
  const execution = await execute(broken);
  expect(execution.failure).not.toBeNull();
  expect(findingsOf(broken, execution)).toEqual([
    { symptom: 'run-failed', because: [], message: execution.failure?.message },
  ]);
});
