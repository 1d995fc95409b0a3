import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { galleryNames, loadScenario } from '../scenario/load.ts';
import type { ScenarioInput } from './scenario-input.ts';
import { type ParsedInput, scenarioFrom } from './scenario-source.ts';

/** What a caller may hand over must not be changed. */
type Frozen<Value> = Value extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Frozen<Value[Key]> }
    : Value;

const problemsOf = (source: unknown): string[] => {
  try {
    scenarioFrom(source as ScenarioInput);
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
};

describe('scenarioFrom', () => {
  it('takes exactly what the schema does', () => {
    // The compiler checks it.
    expectTypeOf<ScenarioInput>().toEqualTypeOf<Frozen<ParsedInput>>();
  });

  it.each(galleryNames())('takes %s as an object as it takes the file', (name) => {
    const path = `scenarios/${name}.yaml`;
    const source = parse(readFileSync(path, 'utf8')) as ScenarioInput;
    expect(scenarioFrom(source)).toEqual({ ...loadScenario(path), name: 'scenario' });
  });

  it('lets three clients work for at most a tenth of the time to live unless told otherwise', () => {
    const {
      settings,
      clients,
      workload,
      faults,
      happened,
      expect: expected,
    } = scenarioFrom({ settings: { ttl: '2s' } });
    expect(settings).toEqual({ nodes: 5, ttl: 2000, fencing: false });
    expect(Object.keys(clients)).toEqual(['c1', 'c2', 'c3']);
    const shortWhile = { minMs: 0, maxMs: 200 };
    const steps = [{ acquire: { resource: 'stock' } }, { work: shortWhile }, 'write', 'release', { rest: shortWhile }];
    expect(workload).toEqual([{ clients: 'all', repeat: 10, steps }]);
    expect([faults, happened, expected]).toEqual([[], [], {}]);
  });

  it('demands that every fault begins unless told what must happen', () => {
    const faults = [
      { fault: 'crash', nodes: 'n1', at: '10ms' },
      { fault: 'flush', nodes: 'n2', at: '20ms' },
      { fault: 'crash', nodes: 'n3', at: '30ms' },
    ] as const;
    expect(scenarioFrom({ faults }).happened).toEqual([
      { event: 'fault-started', kind: 'crash', atLeast: 2 },
      { event: 'fault-started', kind: 'flush', atLeast: 1 },
    ]);
    expect(scenarioFrom({ faults, happened: [] }).happened).toEqual([]);
  });

  it('says everything that is wrong with an object, and where', () => {
    expect(problemsOf({ settings: { nodeTimout: 3 }, faults: [{ fault: 'crsh' }], clients: 0.5 })).toEqual([
      expect.stringMatching(/^scenario: settings\.nodeTimout: is not a key here; did you mean nodeTimeout\?/),
      expect.stringMatching(/^scenario: clients: must be/),
      expect.stringMatching(/^scenario: faults\[0\]\.fault: "crsh" is not allowed; did you mean crash\?/),
    ]);
    expect(problemsOf({ faults: [{ fault: 'crash', nodes: 'n9' }], expect: { 'token-order': 'ok' } })).toEqual([
      expect.stringMatching(/^scenario: faults\[0\]\.nodes: no node is called "n9"/),
      'scenario: expect.token-order: comes only with fencing tokens; set settings.fencing to true',
    ]);
    expect(problemsOf(null)).toEqual(['scenario: must be a mapping of keys, not nothing']);
  });

  it('says where a text is wrong, and what is neither a text nor a path', () => {
    expect(problemsOf('title: A\nclients: none\n')).toContainEqual(
      expect.stringMatching(/^scenario:2:10: clients: must be/),
    );
    expect(problemsOf('own/missing.yaml')).toEqual([
      expect.stringMatching(/^own\/missing.yaml: there is no such file/),
    ]);
    expect(problemsOf('contention')).toEqual([expect.stringMatching(/^contention: is neither a path nor a scenario/)]);
  });
});
