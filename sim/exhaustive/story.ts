import { nodeName } from '../scenario/server-names.ts';
import type { ClientFacts } from './client-automaton.ts';
import { EXPIRES, NOW, OWNER, type Row, START } from './layout.ts';
import type { Model } from './model.ts';
import { clientName, clientOf, CODE, kindOf, nodeOf } from './steps.ts';
import type { Trail } from './trail.ts';

/** What happens on a trail, a line a step: the tick, and a sentence. */
export function storyOf(model: Model, { steps, rows }: Trail): readonly string[] {
  return steps.map((step, place) => {
    const before = rows[place] as Row;
    return `tick ${before[NOW] ?? 0}: ${sentence(model, step, before, rows[place + 1] as Row)}`;
  });
}

function sentence(model: Model, step: number, before: Row, after: Row): string {
  const client = clientOf(step);
  const name = clientName(client);
  const node = nodeName(nodeOf(step));
  switch (kindOf(step)) {
    case CODE.acquire:
      return `${name} wants the lock and asks every node`;
    case CODE.extend:
      return `${name} asks every node to extend its lock`;
    case CODE.release:
      return `${name} gives its lock back and tells every node`;
    case CODE.run:
      return `${node} runs ${name}'s ${model.nextRequest(before, client, nodeOf(step))?.kind ?? ''}: ${replyOf(model, after, step)}`;
    case CODE.tell:
      return `${name} hears from ${node}: ${told(model, before, step)}${changeOf(model, before, after, client)}`;
    case CODE.timer:
      return `${name} has waited long enough${changeOf(model, before, after, client)}`;
    case CODE.tick:
      return `time passes: tick ${after[NOW] ?? 0} begins${goneKeys(model, before, after)}`;
    case CODE.expire:
      return `the key on ${node} expires`;
    case CODE.crash:
      return `${node} crashes`;
    case CODE.restart:
      return `${node} restarts, ${after[model.layout.node(nodeOf(step)) + OWNER] === 0 ? 'without a key' : 'with its key'}`;
    case CODE.jump:
      return `the clock of ${node} jumps ahead by ${model.world.jumpTicks} ms${goneKeys(model, before, after)}`;
    case CODE.evict:
      return `the key on ${node} vanishes`;
    case CODE.pause:
      return `${name} is paused, with a timer that is due`;
    case CODE['clock-back']:
      return `${name}'s wall clock jumps far back`;
    case CODE['clock-ahead']:
      return `${name}'s wall clock jumps far ahead`;
    default:
      throw new RangeError(`There is no step ${step}`);
  }
}

function replyText(model: Model, reply: number): string {
  const { kind, ...rest } = model.replies.at(reply);
  if (kind === 'failed') return 'it is down';
  return 'token' in rest && rest.token !== null ? `${kind}, token ${rest.token}` : kind;
}

function replyOf(model: Model, after: Row, step: number): string {
  const { replies } = model.links.at(after[model.layout.link(clientOf(step), nodeOf(step))] as number);
  return replyText(model, replies.at(-1) as number);
}

function told(model: Model, before: Row, step: number): string {
  const { replies } = model.links.at(before[model.layout.link(clientOf(step), nodeOf(step))] as number);
  return replyText(model, replies[0] as number);
}

/** What a client does in answer, if others can see it. */
function changeOf(model: Model, before: Row, after: Row, client: number): string {
  const was = model.factsOf(before, client);
  const is = model.factsOf(after, client);
  const start = after[model.layout.client(client) + START] as number;
  if (is.untilTick > was.untilTick) {
    const what = was.phase === 'holding' ? 'its lock is extended and' : 'it holds the lock, which';
    return `; ${what} is valid until tick ${start + is.untilTick}${tokenText(is)}`;
  }
  if (is.failures > was.failures) return `; it fails (${is.failure})`;
  if (was.phase === 'releasing' && is.phase === 'idle') return '; its release is over';
  return '';
}

function tokenText({ token }: ClientFacts): string {
  return token < 0 ? '' : ` and carries token ${token}`;
}

function goneKeys(model: Model, before: Row, after: Row): string {
  const gone: string[] = [];
  for (let node = 0; node < model.layout.nodes; node += 1) {
    const at = model.layout.node(node);
    if (before[at + OWNER] !== 0 && after[at + OWNER] === 0 && after[at + EXPIRES] === 0) gone.push(nodeName(node));
  }
  return gone.length === 0 ? '' : `; the key on ${gone.join(' and ')} expires`;
}
