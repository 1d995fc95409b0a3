import type { HistoryEvent } from './event.ts';

/**
 * Reads a history from front to back without an object for each message. The three events of a message come as numbers,
 * and texts in them as places in the table of the history: within one history, two places are equal exactly where the texts are.
 */
export interface HistoryVisitor {
  visitSent(
    index: number,
    timeUs: number,
    command: number,
    client: number,
    node: number,
    kind: number,
    key: number,
    value: number,
  ): void;
  /** `before` is -1 where no key was there. */
  visitExecuted(
    index: number,
    timeUs: number,
    command: number,
    client: number,
    node: number,
    kind: number,
    reply: number,
    key: number,
    value: number,
    before: number,
    changed: boolean,
  ): void;
  visitReceived(index: number, timeUs: number, command: number, client: number, node: number, reply: number): void;
  /** Any other event. */
  visitOther(index: number, event: HistoryEvent): void;
}
