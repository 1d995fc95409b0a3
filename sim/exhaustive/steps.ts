import { nodeName } from '../scenario/server-names.ts';
/** What can happen next in the small world. The order is that in which they are tried. */
export const STEP_KINDS = [
  'acquire',
  'extend',
  'release',
  'run',
  'tell',
  'timer',
  'tick',
  'expire',
  'crash',
  'restart',
  'jump',
  'evict',
  'pause',
  'clock-back',
  'clock-ahead',
] as const;

export type StepKind = (typeof STEP_KINDS)[number];

/** Places of the step kinds, for those who deal with codes. */
export const CODE = Object.fromEntries(STEP_KINDS.map((kind, place) => [kind, place])) as Readonly<
  Record<StepKind, number>
>;

const CLIENT_BITS = 3;
const NODE_BITS = 3;

/** A step as a number below 65,536. Clients and nodes count from 0; `node` is the place of the timer where one is meant, and 0 where there is none. */
export function codeOf(kind: number, client: number, node: number): number {
  return (((kind << CLIENT_BITS) | client) << NODE_BITS) | node;
}

export function kindOf(code: number): number {
  return code >> (CLIENT_BITS + NODE_BITS);
}

export function clientOf(code: number): number {
  return (code >> NODE_BITS) & ((1 << CLIENT_BITS) - 1);
}

export function nodeOf(code: number): number {
  return code & ((1 << NODE_BITS) - 1);
}

const OF_CLIENTS: ReadonlySet<StepKind> = new Set([
  'acquire',
  'extend',
  'release',
  'run',
  'tell',
  'timer',
  'pause',
  'clock-back',
  'clock-ahead',
]);
const OF_NODES: ReadonlySet<StepKind> = new Set(['run', 'tell', 'expire', 'crash', 'restart', 'jump', 'evict']);

export function clientName(client: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + client);
}

/** A step in the notation of `--replay`: `acquire:A`, `run:A@n1`, `timer:A#1`, `tick`, `crash:n2`. */
export function stepText(code: number): string {
  const kind = STEP_KINDS[kindOf(code)] as StepKind;
  if (!OF_CLIENTS.has(kind)) return OF_NODES.has(kind) ? `${kind}:${nodeName(nodeOf(code))}` : kind;
  const client = clientName(clientOf(code));
  if (OF_NODES.has(kind)) return `${kind}:${client}@${nodeName(nodeOf(code))}`;
  return `${kind}:${client}${kind === 'timer' ? `#${nodeOf(code) + 1}` : ''}`;
}

/** Reads a step in the notation of `--replay`; null for anything else. */
export function parseStep(text: string): number | null {
  const match = /^([a-z-]+)(?::([A-D])?@?(?:n([1-8]))?(?:#([1-8]))?)?$/.exec(text);
  if (match === null) return null;
  const [, word, letter, node, timer] = match;
  const kind = STEP_KINDS.indexOf(word as StepKind);
  if (kind === -1) return null;
  const client = letter === undefined ? 0 : letter.charCodeAt(0) - 'A'.charCodeAt(0);
  const code = codeOf(kind, client, Number(node ?? timer ?? 1) - 1);
  // What a step has no use for, and what it lacks, does not come back in its text.
  return stepText(code) === text ? code : null;
}
