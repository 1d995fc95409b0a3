import type { CommandExecuted, CommandSent, ReplyReceived } from '../../history/event.ts';
import { commandName } from './command-matcher.ts';
import { pushTo } from './multimap.ts';
import type { Sight } from './sight.ts';

/** A command, and what is known of its way. */
export interface Exchange {
  readonly sent: CommandSent;
  execution: Sight<CommandExecuted> | null;
  received: ReplyReceived | null;
}

/** Whether the node's own answer came back: a `failed` reply is a broken connection, or an error. */
export function wasAnswered({ received }: Exchange): boolean {
  return received !== null && received.reply !== 'failed';
}

/**
 * Finds the request of each execution; returns those that have none. Equal commands (a release that is sent again) are told apart by their
 * times and answers: one that was answered must have run, with that answer, before that; what is left then belongs to the last
 * request before it, for the ones before that were lost.
 */
export function matchExecutions(
  exchanges: readonly Exchange[],
  executions: readonly Sight<CommandExecuted>[],
): Sight<CommandExecuted>[] {
  const left = new Map<string, Sight<CommandExecuted>[]>();
  for (const execution of executions) pushTo(left, commandName(execution.event), execution);
  for (const exchange of exchanges.toReversed()) if (wasAnswered(exchange)) claim(exchange, left, placeOfAnswered);
  for (const exchange of exchanges.toReversed()) if (!wasAnswered(exchange)) claim(exchange, left, placeOfUnanswered);
  return [...left.values()].flat();
}

function claim(
  exchange: Exchange,
  left: ReadonlyMap<string, Sight<CommandExecuted>[]>,
  placeOf: (exchange: Exchange, candidates: readonly Sight<CommandExecuted>[]) => number,
): void {
  const { sent, received } = exchange;
  const candidates = left.get(commandName(sent)) ?? [];
  const place = placeOf(exchange, candidates);
  const [execution] = place < 0 ? [] : candidates.splice(place, 1);
  if (execution === undefined) return;
  execution.notBeforeUs = sent.timeUs;
  if (received !== null) execution.notAfterUs = received.timeUs;
  exchange.execution = execution;
}

/** The last one that fits; news of it may have come later than its answer did. */
function placeOfAnswered({ sent, received }: Exchange, candidates: readonly Sight<CommandExecuted>[]): number {
  const arrivedUs = received?.timeUs ?? Number.POSITIVE_INFINITY;
  const fits = ({ event }: Sight<CommandExecuted>): boolean => event.timeUs >= sent.timeUs;
  const answersSo = (one: Sight<CommandExecuted>): boolean => fits(one) && one.event.reply === received?.reply;
  const inTime = candidates.findLastIndex((one) => answersSo(one) && one.event.timeUs <= arrivedUs);
  if (inTime >= 0) return inTime;
  const late = candidates.findIndex(answersSo);
  return late >= 0 ? late : candidates.findIndex(fits);
}

function placeOfUnanswered({ sent }: Exchange, candidates: readonly Sight<CommandExecuted>[]): number {
  return candidates.findIndex(({ event }) => event.timeUs >= sent.timeUs);
}
