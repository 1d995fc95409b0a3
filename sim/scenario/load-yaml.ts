import {
  type Alias,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import { type ScenarioProblem, ScenarioError, fileError } from './load-error.ts';

/** A step into nested data: a key of a mapping, or an index of a list. */
export type PathStep = string | number;

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
  const faults = [...document.errors, ...document.warnings];
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
  return {
    data: plainData(document, file, lines),
    problem: (path, message, about = 'value') => ({
      ...place(lines, offsetOf(document, path, about)),
      path: formatPath(path),
      message,
    }),
  };
}

function parse(text: string, file: string, lines: LineCounter): Document.Parsed {
  try {
    return parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, version: '1.2' });
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

function offsetOf(document: Document.Parsed, path: readonly PathStep[], about: 'value' | 'key'): number {
  let node: Node | null = document.contents;
  let offset = start(node) ?? 0;
  for (const [index, step] of path.entries()) {
    node = follow(document, node);
    const { key, value } = child(node, step);
    const wanted = about === 'key' && index === path.length - 1 ? key : (start(value) ?? key);
    // What is missing is reported where it should be.
    if (wanted === null) return offset;
    offset = wanted;
    node = value;
  }
  return offset;
}

function child(node: Node | null, step: PathStep): { key: number | null; value: Node | null } {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
    if (pair === undefined) return { key: null, value: null };
    return { key: start(pair.key), value: isNode(pair.value) ? pair.value : null };
  }
  if (isSeq(node) && typeof step === 'number') {
    const item = node.items[step];
    return { key: start(item), value: isNode(item) ? item : null };
  }
  return { key: null, value: null };
}

function start(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}

function follow(document: Document.Parsed, node: Node | null): Node | null {
  return isAlias(node) ? (node.resolve(document) ?? null) : node;
}

const PLAIN_KEY = /^[\p{L}_][\p{L}\p{N}_-]*$/u;

/** `faults[0].nodes`; keys that are no plain words in quotes. */
export function formatPath(path: readonly PathStep[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!PLAIN_KEY.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}
