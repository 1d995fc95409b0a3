import { z } from 'zod';
import { scenarioSchema } from './schema.ts';

/** The JSON Schema of scenario files, by which editors complete and check them: what one may write, before defaults are filled in. */
export function scenarioJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = z.toJSONSchema(scenarioSchema, {
    io: 'input',
    reused: 'ref',
    override: ({ jsonSchema }) => {
      // Defaults are those of the parsed scenario, in milliseconds, where a file has texts; the descriptions name them.
      delete jsonSchema.default;
    },
  });
  return { $schema, title: 'A scenario of the distrilock testbed', ...schema };
}
