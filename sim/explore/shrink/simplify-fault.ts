import type { NodeTarget } from '../../faults/targets.ts';
import type { Fault } from '../../scenario/fault-schema.ts';
import { nodeNames, RESOURCE } from '../../scenario/server-names.ts';
import { omitting, rounder, simplerMoments, without } from './simplify-parts.ts';

/** The names that a fault can aim at. */
interface Targets {
  readonly clients: readonly string[];
  readonly nodes: number;
}

/** Durations of a fault, by the names of their fields. */
const DURATIONS = ['for', 'by', 'every', 'lag'] as const;

/** Faults that are each a little simpler than this one. */
export function* simplerFaults(fault: Fault, targets: Targets): Generator<Fault> {
  const { at, after, ...body } = fault;
  for (const moment of simplerMoments({ at, after })) yield { ...body, ...moment };
  if ('nodes' in fault) for (const nodes of simplerNodes(fault.nodes, targets)) yield { ...fault, nodes };
  if ('clients' in fault && typeof fault.clients === 'string' && !targets.clients.includes(fault.clients)) {
    for (const client of targets.clients) yield { ...fault, clients: client };
  }
  yield* withPlainerFields(fault);
  yield* withRounderDurations(fault);
}

function* withPlainerFields(fault: Fault): Generator<Fault> {
  if ('direction' in fault && fault.direction !== 'both' && fault.fault !== 'loss')
    yield { ...fault, direction: 'both' };
  if (fault.fault === 'loss') {
    const { command, count, ...others } = fault;
    if (fault.probability < 1) yield { ...fault, probability: 1 };
    if (command !== undefined) yield { ...others, ...(count === undefined ? {} : { count }) };
    if (count !== undefined) yield { ...others, ...(command === undefined ? {} : { command }) };
  }
  if (fault.fault === 'crash' && fault.how !== 'kill') yield { ...fault, how: 'kill' };
  if (fault.fault === 'eviction' && fault.keys !== undefined) {
    yield omitting(fault, 'keys');
  }
  if (fault.fault === 'promotion' && Number.isFinite(fault.lag)) yield { ...fault, lag: Number.POSITIVE_INFINITY };
  if (fault.fault === 'latency' && fault.delay.minMs !== fault.delay.maxMs) {
    yield { ...fault, delay: { minMs: fault.delay.maxMs, maxMs: fault.delay.maxMs } };
  }
  if ('for' in fault && fault.for !== undefined) {
    yield omitting(fault, 'for') as Fault;
  }
}

function* withRounderDurations(fault: Fault): Generator<Fault> {
  const fields = fault as unknown as Readonly<Record<string, unknown>>;
  for (const name of DURATIONS) {
    const value = fields[name];
    if (typeof value !== 'number' || !Number.isFinite(value)) continue;
    for (const ms of rounder(value)) yield { ...fault, [name]: ms };
  }
  if (fault.fault === 'latency') {
    for (const ms of rounder(fault.delay.maxMs)) yield { ...fault, delay: { minMs: ms, maxMs: ms } };
  }
  if (fault.fault === 'slow-close') for (const ms of rounder(fault.delay)) yield { ...fault, delay: ms };
}

/** One node instead of several, or names that everybody reads alike. */
function* simplerNodes(target: NodeTarget, { nodes }: Targets): Generator<NodeTarget> {
  if (Array.isArray(target)) {
    const [only] = target;
    if (target.length === 1 && only !== undefined) yield only;
    else for (const index of target.keys()) yield without(target, index);
    return;
  }
  if (typeof target === 'string' && (target === RESOURCE || /^n\d+$/.test(target))) return;
  const names = nodeNames(nodes);
  for (let count = 1; count < nodes; count += 1) yield names.slice(0, count);
  for (let count = 1; count < nodes; count += 1) yield names.slice(-count);
}
