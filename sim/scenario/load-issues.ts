import { z } from 'zod';
import { either, hint, nearest, quote } from './load-hints.ts';
import type { ScenarioProblem } from './load-error.ts';
import type { PathStep } from './load-positions.ts';
import type { LocatedData } from './load-yaml.ts';

type Issue = z.core.$ZodIssue;

/** Between the sentences of an issue that is about several keys: one for each. */
const KEY_SEPARATOR = '\n';

const WORDS_FOR_TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys',
  record: 'a mapping of keys',
};

/** Sentences for the issues that zod finds in a scenario: what is wrong, and what is allowed. Schemas may have more fitting ones of their own. */
export const explainIssue: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type': {
      const wanted = WORDS_FOR_TYPES[issue.expected] ?? issue.expected;
      const meaning = descriptionOf(issue.inst);
      if (issue.input === undefined) return `is missing; must be ${wanted}${meaning}`;
      return `must be ${wanted}, not ${quote(issue.input)}${meaning}`;
    }
    case 'invalid_value':
      return explainChoice(issue.input, issue.values.map(String));
    case 'unrecognized_keys': {
      const known = knownKeys(issue.inst);
      const allowed = `allowed: ${known.join(', ')}`;
      return issue.keys.map((key) => `is not a key here; ${hint(key, known, allowed)}`).join(KEY_SEPARATOR);
    }
    case 'too_small':
      if (issue.origin === 'string' || issue.origin === 'array') return 'must not be empty';
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}, not ${quote(issue.input)}`;
    case 'too_big':
      return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}, not ${quote(issue.input)}`;
    default:
      return undefined;
  }
};

function explainChoice(input: unknown, values: readonly string[]): string {
  if (input === undefined) return `is missing; must be ${either(values)}`;
  const meant = typeof input === 'string' ? nearest(input, values) : null;
  const question = meant === null ? '' : `did you mean ${meant}? `;
  return `${quote(input)} is not allowed; ${question}must be ${either(values)}`;
}

function descriptionOf(schema: unknown): string {
  const description = schema instanceof z.ZodType ? schema.description : undefined;
  return description === undefined ? '' : `: ${description}`;
}

function knownKeys(schema: unknown): readonly string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  if (schema instanceof z.ZodRecord && schema.keyType instanceof z.ZodEnum) return schema.keyType.options.map(String);
  return [];
}

/** Where the issues of a schema stand in the file: one problem for each value that is wrong, and one for each unknown key. */
export function problemsOf(issues: readonly Issue[], located: LocatedData): ScenarioProblem[] {
  const problems: ScenarioProblem[] = [];
  const seen = new Set<string>();
  for (const issue of issues.flatMap((each) => sharpen(each, [], located.data))) {
    const path = issue.path as PathStep[];
    if (issue.code === 'unrecognized_keys') {
      const messages = issue.message.split(KEY_SEPARATOR);
      issue.keys.forEach((key, index) =>
        problems.push(located.problem([...path, key], messages[index] ?? issue.message, 'key')),
      );
      continue;
    }
    // A value that is no duration is not positive either: the first sentence says it.
    const place = JSON.stringify(path);
    if (seen.has(place)) continue;
    seen.add(place);
    problems.push(located.problem(path, issue.message, issue.code === 'invalid_key' ? 'key' : 'value'));
  }
  return problems;
}

/** An issue with its full path; of a union, the issues of the one branch that was meant, or else the union's own sentence. */
function sharpen(issue: Issue, parents: readonly PropertyKey[], data: unknown): Issue[] {
  const path = [...parents, ...issue.path];
  if (issue.code === 'invalid_key') {
    return [{ ...issue, path, message: issue.issues[0]?.message ?? issue.message }];
  }
  if (issue.code !== 'invalid_union') return [{ ...issue, path }];
  const value = valueAt(data, path);
  if (issue.errors.length === 0) {
    // The key that tells the branches apart has no allowed value.
    const options = 'options' in issue ? (issue.options ?? []) : [];
    const message = explainChoice(value, options.map(String));
    return [{ ...issue, path, message }];
  }
  const fitting = issue.errors.filter((branch) => !branch.some(isOfOtherType));
  const meant =
    fitting.length <= 1 ? fitting : fitting.filter((branch) => !branch.some((each) => isMissing(each, value)));
  const [branch] = meant;
  if (branch !== undefined && meant.length === 1) return branch.flatMap((each) => sharpen(each, path, data));
  const message =
    value === undefined ? `is missing; ${issue.message}` : `${issue.message}${nearestOfUnion(issue, value)}`;
  return [{ ...issue, path, message }];
}

function isOfOtherType(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  // A fraction where a whole number is wanted is of the right type all the same.
  if (issue.code === 'invalid_type') return issue.expected !== 'int';
  return issue.code === 'invalid_value';
}

function isMissing(issue: Issue, value: unknown): boolean {
  return issue.path.length === 1 && issue.code !== 'unrecognized_keys' && valueAt(value, issue.path) === undefined;
}

/** What the writer of a value that fits no branch may have meant: one of the words, or one of the keys that branches begin with. */
function nearestOfUnion(issue: Issue & { code: 'invalid_union' }, value: unknown): string {
  const written = typeof value === 'string' ? value : firstKey(value);
  if (written === null) return `, not ${quote(value)}`;
  const words = issue.errors.flat().flatMap((each) => {
    if (each.code === 'invalid_value') return each.values.map(String);
    return isMissing(each, value) ? [String(each.path[0])] : [];
  });
  const meant = nearest(written, words);
  return `, not ${quote(written)}${meant === null ? '' : `; did you mean ${meant}?`}`;
}

function firstKey(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return Object.keys(value)[0] ?? null;
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}
