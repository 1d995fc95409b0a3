import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROPERTIES } from '../sim/checkers/verdict.ts';
import { fault } from '../sim/scenario/fault-schema.ts';
import { observablePattern } from '../sim/scenario/moment.ts';
import { scenarioSchema } from '../sim/scenario/schema.ts';

function textOf(document: string): string {
  return readFileSync(new URL(document, import.meta.url), 'utf8');
}

/** The rows of the tables of a document, as cells without their blanks. */
function rowsOf(document: string): string[][] {
  return [...textOf(document).matchAll(/^\| (.*) \|$/gm)].map((match) =>
    (match[1] ?? '').split(' | ').map((cell) => cell.trim()),
  );
}

function namesIn(cell: string | undefined): string[] {
  return [...(cell ?? '').matchAll(/`([a-z-]+)`/gi)].map((match) => match[1] ?? '');
}

interface Schema {
  safeParse(value: unknown): { readonly success: boolean };
}

/** The keys that a mapping must have. */
function mandatoryKeys(shape: Readonly<Record<string, Schema>>): string[] {
  return Object.entries(shape)
    .filter(([, schema]) => !schema.safeParse(undefined).success)
    .map(([key]) => key);
}

describe('the guide of scenarios', () => {
  const rows = rowsOf('scenarios.md');

  it('explains every part, and says which are mandatory', () => {
    const parts = [...textOf('scenarios.md').matchAll(/^- \*\*`([a-z]+)`\*\*( \(mandatory\))?/gm)];
    const names = (matches: readonly RegExpExecArray[]) => matches.map((match) => match[1]).sort();
    expect(names(parts)).toEqual(Object.keys(scenarioSchema.shape).sort());
    expect(names(parts.filter((match) => match[2] !== undefined))).toEqual(mandatoryKeys(scenarioSchema.shape).sort());
  });

  it('explains every fault, and says what it must have', () => {
    const explained = rows.filter(([name]) => /^`[a-z-]+`$/.test(name ?? ''));
    expect(explained.map(([name, demanded]) => [...namesIn(name), ...namesIn(demanded)])).toEqual(
      fault.options.map(({ shape }) => [shape.fault.value, ...mandatoryKeys(shape).filter((key) => key !== 'fault')]),
    );
  });

  it('lists every event', () => {
    const listed = rows.flatMap(([about, events]) => (/^[a-z, ]+$/.test(about ?? '') ? namesIn(events) : []));
    expect(listed.sort()).toEqual([...observablePattern.shape.event.options].sort());
  });
});

describe('the guide of properties', () => {
  it('explains every one of them', () => {
    expect(rowsOf('properties.md').flatMap(([name]) => namesIn(name))).toEqual(PROPERTIES);
  });
});
