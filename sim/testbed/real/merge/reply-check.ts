import type { WriteDecision } from '../../../workload/protected-resource.ts';
import type { Exchange, WriteExchange } from './exchange.ts';
import { errorOf, wasAnswered } from './exchange.ts';
import type { MergedHistory } from './real-history.ts';

/**
 * What shows that the nodes did something else than the run believes to have seen, in a sentence; null if nothing. What a node or the protected resource answers is
 * concluded from what it was seen to run: where a client knows the answer too, the two must agree. Only for a run that came to its end:
 * of one that was broken off, the last news is missing.
 */
export function findModelMismatch({ exchanges, unclaimed, writes }: MergedHistory): string | null {
  const [stranger] = unclaimed;
  if (stranger !== undefined) {
    const { node, kind, key, value } = stranger;
    return `${node} ran a command that no client sent: ${kind} ${key} ${value}`;
  }
  for (const exchange of exchanges) {
    if (!wasAnswered(exchange)) continue;
    const problem = problemOf(exchange);
    if (problem !== null) return problem;
  }
  for (const write of writes) {
    const problem = problemOfWrite(write);
    if (problem !== null) return problem;
  }
  return null;
}

function problemOf(exchange: Exchange): string | null {
  const { sent, execution, received } = exchange;
  const { node, client, kind, key, command } = sent;
  const name = `command ${command} of ${client} (${kind} ${key})`;
  // Whether it was begun before it was refused depends on the error.
  if (execution === null && errorOf(exchange) !== null) return null;
  if (execution === null) return `${node} answered ${name}, but was not seen to run it`;
  if (execution.event.reply === received?.reply) return null;
  return `${node} answered ${name} with ${received?.reply ?? 'nothing'}, but by what was seen of it it had to answer ${execution.event.reply}`;
}

function problemOfWrite({ sent, taken, decision }: WriteExchange): string | null {
  if (decision === null) return null;
  const answer = `the resource answered write ${sent.write} of ${sent.client} (${sent.resource})`;
  if (taken === null) return `${answer}, but was not seen to run it`;
  const concluded: WriteDecision =
    taken.event.type === 'write-accepted'
      ? { accepted: true }
      : { accepted: false, largestToken: taken.event.largestToken };
  const [is, hadToBe] = [decision, concluded].map(textOfDecision);
  return is === hadToBe ? null : `${answer} with ${is}, but by what was seen of it it had to answer ${hadToBe}`;
}

function textOfDecision(decision: WriteDecision): string {
  return decision.accepted ? 'accepted' : `refused, for it has seen the token ${decision.largestToken}`;
}
