import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { scenarioJsonSchema } from './json-schema.ts';
import { scenarioText } from './load-testing.ts';

const STORED: unknown = JSON.parse(readFileSync(new URL('scenario.schema.json', import.meta.url), 'utf8'));

it('the stored file is fresh (npm run schema writes it)', () => {
  expect(STORED).toEqual(scenarioJsonSchema());
});

it('takes what one may write, and refuses what one may not', () => {
  const schema = z.fromJSONSchema(STORED as Parameters<typeof z.fromJSONSchema>[0]);
  const fault = 'faults: [{ fault: latency, delay: 10ms..50ms, nodes: { heldBy: A } }]';
  expect(schema.safeParse(parse(scenarioText({ fault })))).toMatchObject({ success: true });
  for (const wrong of [{ titel: 'titel: x' }, { fault: 'faults: [{ fault: latency }]' }, { limit: 'limit: soon' }]) {
    expect(schema.safeParse(parse(scenarioText(wrong)))).toMatchObject({ success: false });
  }
});

it('demands no key that has a default', () => {
  expect(scenarioJsonSchema()['required']).toEqual(['title', 'clients', 'workload', 'expect', 'lesson']);
});
