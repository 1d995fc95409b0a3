import { advisedMessage } from '../../../../src/reply-error.ts';
import { RESOURCE } from '../../../scenario/server-names.ts';
import type { FaultStarted } from '../../../history/fault-events.ts';
import { eventsOf } from '../../../history/events-of.ts';
import type { Fault } from '../../../scenario/fault-schema.ts';
import { errorOf } from './exchange.ts';
import type { MergedHistory } from './real-history.ts';

type FaultKind = Fault['fault'];

/** The faults that make a node answer with an error, by how that begins. All others come of the server itself, and of how it is set up. */
const CAUSES: Readonly<Record<string, readonly FaultKind[]>> = {
  OOM: ['eviction'],
  LOADING: ['crash', 'promotion'],
  READONLY: ['promotion'],
  MASTERDOWN: ['promotion'],
};

/** Something that a client asked for, and was refused. */
interface Refusal {
  readonly node: string;
  /** `command 4 of A (acquire lock:r)` */
  readonly what: string;
  /** In the words of the server. */
  readonly error: string;
}

/**
 * Why a run proves nothing in which a server refused what no fault made it refuse, in a sentence with the server's words and the remedy; null if none did.
 * Such a server is not the Redis that the scenario is about.
 */
export function findUnexplainedRefusal(merged: MergedHistory): string | null {
  const faults = [...eventsOf(merged.history)].filter((event) => event.type === 'fault-started');
  const [first, ...others] = refusalsIn(merged).filter((refusal) => !isExplained(refusal, faults));
  if (first === undefined) return null;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  return (
    `${first.node} refused ${first.what}${more}, with the error: ${advisedMessage(new Error(first.error))}. ` +
    'No fault of the scenario explains it: put the server right, or name another one'
  );
}

function refusalsIn({ exchanges, writes }: MergedHistory): Refusal[] {
  const ofCommands = exchanges.flatMap((exchange): Refusal[] => {
    const error = errorOf(exchange);
    const { node, command, client, kind, key } = exchange.sent;
    return error === null ? [] : [{ node, what: `command ${command} of ${client} (${kind} ${key})`, error }];
  });
  const ofWrites = writes.flatMap(({ sent: { write, client, resource }, error }): Refusal[] => {
    return error === null ? [] : [{ node: RESOURCE, what: `write ${write} of ${client} (${resource})`, error }];
  });
  return [...ofCommands, ...ofWrites];
}

function isExplained({ node, error }: Refusal, faults: readonly FaultStarted[]): boolean {
  const code = /^\w+/.exec(error)?.[0] ?? '';
  const causes: readonly string[] = Object.hasOwn(CAUSES, code) ? (CAUSES[code] as readonly FaultKind[]) : [];
  return faults.some(({ kind, targets }) => causes.includes(kind) && targets.includes(node));
}
