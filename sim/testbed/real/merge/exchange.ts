import type {
  CommandExecuted,
  CommandSent,
  ReplyReceived,
  WriteAccepted,
  WriteRefused,
  WriteSent,
} from '../../../history/event.ts';
import type { WriteDecision } from '../../../workload/protected-resource.ts';
import { commandName } from './command-matcher.ts';
import { pushTo } from '../multimap.ts';
import type { Observation } from './observation.ts';

/** A command, and what is known of its way. */
export interface Exchange {
  readonly sent: CommandSent;
  execution: Observation<CommandExecuted> | null;
  received: ReplyReceived | null;
}

/** A write to the protected resource, and what is known of its way. */
export interface WriteExchange {
  readonly sent: WriteSent;
  /** What was seen of it at the resource. */
  taken: Observation<WriteAccepted | WriteRefused> | null;
  /** What the resource answered, if that came back. */
  readonly decision: WriteDecision | null;
  /** The error that it answered instead, in its own words. */
  readonly error: string | null;
}

/** The error with which the node answered, in its own words; null if it answered none. */
export function errorOf({ received }: Exchange): string | null {
  return received?.error ?? null;
}

/** Whether the node's own answer came back, if only an error: a `failed` reply without one is a broken connection. */
export function wasAnswered(exchange: Exchange): boolean {
  const { received } = exchange;
  return received !== null && (received.reply !== 'failed' || errorOf(exchange) !== null);
}

/** Whether the library may have sent it: some commands it refuses itself, because the connection is down or silent, or the node may not vote. */
export function mayBeSent({ received }: Exchange): boolean {
  return received?.sent !== false;
}

/**
 * Finds the request of each execution; returns the executions that have none. Only equal commands can be mistaken for one another (a release
 * that is sent again): they run in the order in which they are sent, those that were answered did run, with that answer,
 * and what then is left belongs to the last request before it; what was never sent did not run. With `onlySure`, those are left alone of which some were lost.
 */
export function matchExecutions(
  exchanges: readonly Exchange[],
  executions: readonly Observation<CommandExecuted>[],
  { onlySure = false }: { readonly onlySure?: boolean } = {},
): Observation<CommandExecuted>[] {
  const sent = new Map<string, Exchange[]>();
  for (const exchange of exchanges.filter(mayBeSent)) pushTo(sent, commandName(exchange.sent), exchange);
  const ran = new Map<string, Observation<CommandExecuted>[]>();
  for (const execution of executions) pushTo(ran, commandName(execution.event), execution);
  const unclaimed: Observation<CommandExecuted>[] = [];
  for (const [name, equals] of ran) {
    const requests = sent.get(name) ?? [];
    if (onlySure && requests.length !== equals.length) continue;
    const claimed = new Set(claim(requests, equals));
    unclaimed.push(...equals.filter((execution) => !claimed.has(execution)));
  }
  return unclaimed;
}

/** Gives each request its execution, if it has one, so that all in all they fit best; returns those that were given. */
function claim(
  exchanges: readonly Exchange[],
  executions: readonly Observation<CommandExecuted>[],
): Observation<CommandExecuted>[] {
  // How well the first so many requests and the first so many executions fit at best.
  const best = [new Array<number>(executions.length + 1).fill(0)];
  exchanges.forEach((exchange, row) => {
    const above = best[row] as number[];
    const line = [0];
    executions.forEach((execution, column) => {
      const alone = Math.max(above[column + 1] as number, line[column] as number);
      line.push(Math.max(alone, (above[column] as number) + fit(exchange, execution, row)));
    });
    best.push(line);
  });
  const claimed: Observation<CommandExecuted>[] = [];
  let column = executions.length;
  for (let row = exchanges.length; row > 0; row -= 1) {
    const at = (one: number, other: number): number => (best[one] as number[])[other] as number;
    while (column > 0 && at(row, column - 1) === at(row, column)) column -= 1;
    if (column === 0) break;
    if (at(row - 1, column) === at(row, column)) continue;
    const exchange = exchanges[row - 1] as Exchange;
    const execution = executions[column - 1] as Observation<CommandExecuted>;
    column -= 1;
    execution.notBeforeUs = exchange.sent.timeUs;
    // One whose connection broke may run long after that.
    if (exchange.received !== null && wasAnswered(exchange)) execution.notAfterUs = exchange.received.timeUs;
    exchange.execution = execution;
    claimed.push(execution);
  }
  return claimed;
}

/** Far more than all requests that were not answered together. */
const ANSWERED = 1e6;
/** Less than any other request. */
const REFUSED = 0.5;

function fit(exchange: Exchange, { event, timeUs }: Observation<CommandExecuted>, row: number): number {
  const { sent, received } = exchange;
  if (timeUs < sent.timeUs) return Number.NEGATIVE_INFINITY;
  // The later a request is, the more likely it is the one that was not lost.
  if (received === null || !wasAnswered(exchange)) return 1 + row / ANSWERED;
  // Most refusals come before anything is run.
  if (errorOf(exchange) !== null && event.reply !== received.reply) return REFUSED;
  // News may come later than the answer.
  return event.reply === received.reply ? 2 * ANSWERED : ANSWERED;
}
