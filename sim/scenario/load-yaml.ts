import {
  type Alias,
  type Document,
  isAlias,
  isCollection,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import { formatPath, type PathStep, Positions, start } from './load-positions.ts';
import { type ScenarioProblem, ScenarioError, fileError } from './load-error.ts';

/** A file's data, and where each part of it stands. */
export interface LocatedData {
  readonly data: unknown;
  /** A problem with the value at `path`, or with its key; where there is none, with the part of the file that should have it. */
  problem(path: readonly PathStep[], message: string, about?: 'value' | 'key'): ScenarioProblem;
}

/** How often aliases may multiply what a file says. */
const MOST_ALIASES = 100;

const TOO_DEEP = 'is nested too deeply; a scenario needs no more than ten levels';

/** Reads one YAML document. Throws a ScenarioError that lists every error of syntax. */
export function readYaml(text: string, file: string): LocatedData {
  const lines = new LineCounter();
  const document = parse(text, file, lines);
  const faults: YamlProblem[] = [...document.errors, ...document.warnings, ...keyProblems(document)];
  // What follows it is only fallout.
  if (faults.some(({ code }) => code === 'RESOURCE_EXHAUSTION')) throw fileError(file, TOO_DEEP);
  if (faults.length > 0) {
    throw new ScenarioError(
      file,
      faults.map(({ code, message, pos }) => ({
        ...place(lines, pos[0]),
        path: '',
        message: syntaxMessage(code, message),
      })),
    );
  }
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    throw fileError(file, 'is empty; a scenario needs at least title, clients, workload, expect and lesson');
  }
  const positions = new Positions(document);
  return {
    data: plainData(document, file, lines),
    problem: (path, message, about = 'value') => ({
      ...place(lines, positions.offsetOf(path, about)),
      path: formatPath(path),
      message,
    }),
  };
}

interface YamlProblem {
  readonly code: YAMLError['code'] | 'RESERVED_KEY';
  readonly message: string;
  readonly pos: YAMLError['pos'];
}

/**
 * Keys that are there twice in one mapping: the package compares each key with each other, which takes minutes for a large file. And `__proto__`, which zod
 * leaves out of whatever it reads without a word.
 */
function keyProblems(document: Document.Parsed): YamlProblem[] {
  const problems: YamlProblem[] = [];
  visit(document, {
    Map: (_key, map) => {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const offset = start(key) ?? 0;
        const pos: YamlProblem['pos'] = [offset, offset];
        if (key.value === '__proto__') problems.push({ code: 'RESERVED_KEY', message: '', pos });
        else if (seen.has(key.value)) problems.push({ code: 'DUPLICATE_KEY', message: '', pos });
        seen.add(key.value);
      }
    },
  });
  return problems;
}

function parse(text: string, file: string, lines: LineCounter): Document.Parsed {
  try {
    return parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, uniqueKeys: false });
  } catch (cause) {
    if (cause instanceof RangeError) throw fileError(file, TOO_DEEP, { cause });
    throw cause;
  }
}

function plainData(document: Document.Parsed, file: string, lines: LineCounter): unknown {
  try {
    return document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (cause) {
    if (cause instanceof RangeError) throw fileError(file, TOO_DEEP, { cause });
    if (!(cause instanceof ReferenceError)) throw cause;
    // The package has one class for two mistakes.
    const unknown = firstUnknownAlias(document);
    if (unknown === null) {
      throw fileError(file, 'repeats too much by anchors and aliases; write it out, or repeat less', { cause });
    }
    const message = `no anchor &${unknown.source} comes before this alias; set one, or put a text that begins with * in quotes`;
    throw new ScenarioError(file, [{ ...place(lines, start(unknown) ?? 0), path: '', message }], { cause });
  }
}

function firstUnknownAlias(document: Document.Parsed): Alias | null {
  const anchors = new Set<string>();
  let unknown: Alias | null = null;
  visit(document, (_key, node) => {
    if (isAlias(node) && !anchors.has(node.source)) {
      unknown = node;
      return visit.BREAK;
    }
    if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) anchors.add(node.anchor);
    return undefined;
  });
  return unknown;
}

function syntaxMessage(code: string, message: string): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'is indented with a tab; YAML allows only spaces there';
    case 'DUPLICATE_KEY':
      return 'this key is here twice; keep one of them';
    case 'RESERVED_KEY':
      return '__proto__ is no name here, for JavaScript has a meaning of its own for it; take another one';
    case 'MULTIPLE_DOCS':
      return 'a second document begins here; a scenario file has one (remove the line ---)';
    case 'NON_STRING_KEY':
      return 'this key is not a text; put it in quotes';
    case 'TAG_RESOLVE_FAILED':
      return `${message}; a scenario needs no tags (!…)`;
    default:
      return `is not valid YAML: ${message}`;
  }
}

function place(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}
