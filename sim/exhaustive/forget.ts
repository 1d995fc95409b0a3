import { QUIET } from './client-automaton.ts';
import { ANYBODY, FLAGS, FLOOR, GLOBAL, LINKS, NOW, OWNER, type Row, START } from './layout.ts';
import type { Model } from './model.ts';

/**
 * Forgets in `row` what cannot matter any more: of clients that are done, all but the commands that nodes have yet to run; of those, the ones that can do
 * nothing; and whose value a key holds, where nobody will ask for it.
 */
export function forget(model: Model, row: Row): void {
  const { layout } = model;
  for (let client = 0; client < layout.clients; client += 1) {
    if (!model.isQuiet(row, client) && !quieten(model, row, client)) continue;
    if (!model.nodesCompare) continue;
    for (let node = 0; node < layout.nodes; node += 1) dropVain(model, row, client, node);
  }
  if (!model.nodesCompare) return;
  for (let node = 0; node < layout.nodes; node += 1) forgetOwner(model, row, layout.node(node));
}

/** Forgets the client if it is done; returns whether it is. */
function quieten({ layout, links, automaton }: Model, row: Row, client: number): boolean {
  const at = layout.client(client);
  const parts: number[] = [];
  for (let node = 0; node < layout.nodes; node += 1)
    parts.push(links.at(row[layout.link(client, node)] as number).part);
  const since = (row[NOW] as number) - (row[at + START] as number);
  if (!automaton.isQuiet(row[at + GLOBAL] as number, parts, since)) return false;
  row[at + GLOBAL] = QUIET;
  row[at + START] = 0;
  row[at + FLAGS] = 0;
  row[at + FLOOR] = 0;
  for (let node = 0; node < layout.nodes; node += 1) {
    const place = layout.link(client, node);
    row[place] = links.quietLink(links.at(row[place] as number).requests);
  }
  return true;
}

/** Drops commands of a client that is done which can do nothing: its value is not there, and never comes back. */
function dropVain({ layout, links }: Model, row: Row, client: number, node: number): void {
  const place = layout.link(client, node);
  const { requests } = links.at(row[place] as number);
  let vain = 0;
  for (const { kind, attempt } of requests) {
    if (kind === 'acquire' || row[layout.node(node) + OWNER] === layout.owner(client, attempt)) break;
    vain += 1;
  }
  if (vain > 0) row[place] = links.quietLink(requests.slice(vain));
}

function forgetOwner(model: Model, row: Row, at: number): void {
  const { layout, links } = model;
  const owner = row[at + OWNER] as number;
  const client = layout.clientOf(owner);
  if (client === -1 || !model.isQuiet(row, client)) return;
  const attempt = layout.attemptOf(owner);
  const { requests } = links.at(row[at + LINKS + client] as number);
  if (requests.every((request) => request.attempt !== attempt)) row[at + OWNER] = ANYBODY;
}
