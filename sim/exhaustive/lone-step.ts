import { CRASHES_LEFT, EVICTIONS_LEFT, JUMPS_LEFT, NOW, OWNER, type Row, STATUS } from './layout.ts';
import type { Model } from './model.ts';
import { clientOf, CODE, kindOf, nodeOf } from './steps.ts';

/**
 * A step that can be tried alone: one that violates nothing, and that every other step which may still happen before it can be swapped
 * with, leaving the same state. -1 if none is seen. (A persistent set of one step; every step
 * uses up something, so that no step can be put off for ever.)
 */
export function loneStep(model: Model, row: Row, steps: readonly number[]): number {
  for (const step of steps) {
    if (kindOf(step) !== CODE.run) continue;
    if (isVain(model, row, clientOf(step), nodeOf(step)) || isAlone(model, row, clientOf(step), nodeOf(step))) {
      return step;
    }
  }
  return -1;
}

/**
 * Whether the node will answer that the client's value is not there, now and whenever else it runs this. The acquire which could
 * have stored the value came before on the same link. Only a crash could make the answer another one.
 */
function isVain(model: Model, row: Row, client: number, node: number): boolean {
  const at = model.layout.node(node);
  if (!model.nodesCompare || (row[CRASHES_LEFT] as number) > 0 || row[at + STATUS] !== 0) return false;
  const command = model.nextRequest(row, client, node);
  return (
    command !== undefined &&
    command.kind !== 'acquire' &&
    row[at + OWNER] !== model.layout.owner(client, command.attempt)
  );
}

/** Whether nothing but this client will ever touch the node, and no time passes. */
function isAlone(model: Model, row: Row, client: number, node: number): boolean {
  if ((row[NOW] as number) < model.world.ticks) return false;
  if ((row[CRASHES_LEFT] as number) + (row[JUMPS_LEFT] as number) + (row[EVICTIONS_LEFT] as number) > 0) return false;
  const at = model.layout.node(node);
  // A key that may go at any moment of its last tick.
  if (row[at + STATUS] !== 0 || (model.world.ticks > 0 && row[at + OWNER] !== 0)) return false;
  for (let other = 0; other < model.layout.clients; other += 1) {
    if (other === client) continue;
    if (!model.isQuiet(row, other) || model.nextRequest(row, other, node) !== undefined) return false;
  }
  return true;
}
