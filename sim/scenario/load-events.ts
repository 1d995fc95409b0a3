import type { LockErrorCode } from '../../src/errors.ts';
import type { LockReply } from '../../src/lock-node.ts';
import type { CommandKind, HistoryEvent, KeyLost } from '../history/event.ts';
import { fault } from './fault-schema.ts';
import { type ObservablePattern, observablePattern } from './moment.ts';
import { either, hint } from './load-hints.ts';

type PatternField = Exclude<keyof ObservablePattern, 'event'>;
type EventName = ObservablePattern['event'];
type FieldsOf<Name extends EventName> = Extract<keyof Extract<HistoryEvent, { type: Name }>, PatternField>;

/** By which fields a pattern can narrow each event: a pattern with another one would never match. */
const FIELDS: { readonly [Name in EventName]: readonly FieldsOf<Name>[] } = {
  'acquire-invoked': ['client', 'phase'],
  'attempt-started': ['client'],
  'acquire-granted': ['client', 'phase'],
  'acquire-failed': ['client', 'code', 'phase'],
  'extend-invoked': ['client'],
  'extend-granted': ['client'],
  'extend-failed': ['client', 'code'],
  'release-invoked': ['client'],
  'release-done': ['client'],
  'release-failed': ['client', 'code'],
  'section-entered': ['client'],
  'section-left': ['client'],
  'write-sent': ['client'],
  'write-accepted': ['client'],
  'write-refused': ['client'],
  'command-sent': ['client', 'node', 'kind'],
  'command-executed': ['client', 'node', 'kind', 'reply'],
  'reply-received': ['client', 'node', 'reply'],
  'message-lost': ['client', 'node', 'direction'],
  'message-delayed': ['client', 'node', 'direction'],
  'key-lost': ['node', 'cause'],
  'fault-started': ['kind'],
  'fault-missed': ['kind'],
  'fault-ended': [],
  'node-crashed': ['node'],
  'node-restarted': ['node'],
  'node-paused': ['node'],
  'node-resumed': ['node'],
  'node-clock-changed': ['node'],
  'client-paused': ['client'],
  'client-resumed': ['client'],
  'client-clock-changed': ['client'],
};

/** What stands beside them, how often or how much later, narrows nothing. */
const PATTERN_FIELDS = Object.keys(observablePattern.shape).filter((name) => name !== 'event') as PatternField[];

const COMMANDS = words<CommandKind>({
  acquire: true,
  commit: true,
  extend: true,
  release: true,
  inspect: true,
  admit: true,
});
const REPLIES = words<LockReply['kind']>({
  granted: true,
  held: true,
  quarantined: true,
  committed: true,
  refused: true,
  extended: true,
  released: true,
  absent: true,
  inspected: true,
  admitted: true,
  failed: true,
});
const CODES = words<LockErrorCode>({
  contended: true,
  unreachable: true,
  expired: true,
  'extension-refused': true,
  aborted: true,
  'invalid-option': true,
  'cross-slot': true,
  'duplicate-node': true,
});
const CAUSES = words<KeyLost['cause']>({ expired: true, evicted: true, restart: true, flush: true, promotion: true });
const FAULTS: readonly string[] = fault.options.map((option) => option.shape.fault.value);

/** A record has every word of the type, where a list could lack some. */
function words<Word extends string>(all: Readonly<Record<Word, true>>): readonly string[] {
  return Object.keys(all);
}

/** What is wrong with a pattern that no event of any history could match: the field, and a sentence for each. */
export function impossibleFields(
  pattern: ObservablePattern,
): { readonly field: PatternField; readonly message: string }[] {
  const { event } = pattern;
  const known: readonly string[] = FIELDS[event];
  const problems: { field: PatternField; message: string }[] = [];
  for (const field of PATTERN_FIELDS) {
    const value = pattern[field];
    if (value === undefined) continue;
    if (!known.includes(field)) {
      const allowed = known.length === 0 ? 'cannot be narrowed' : `can be narrowed only by ${either(known)}`;
      problems.push({ field, message: `no ${event} has a ${field}; it ${allowed}` });
      continue;
    }
    const allowed = valuesOf(event, field);
    if (allowed !== null && !allowed.includes(value)) {
      const message = `no ${event} has the ${field} ${JSON.stringify(value)}; ${hint(value, allowed, `there are ${allowed.join(', ')}`)}`;
      problems.push({ field, message });
    }
  }
  return problems;
}

function valuesOf(event: EventName, field: PatternField): readonly string[] | null {
  switch (field) {
    case 'kind':
      return event === 'fault-started' || event === 'fault-missed' ? FAULTS : COMMANDS;
    case 'reply':
      return REPLIES;
    case 'code':
      return CODES;
    case 'cause':
      return CAUSES;
    default:
      return null;
  }
}
