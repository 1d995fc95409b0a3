import type { EventEmitter } from 'node:events';
import type { NodeReplyEvent, Redlock } from '../index.ts';

/**
 * Emits what goes wrong at single nodes as an event of the original, from the first listener on: distrilock watches every command of every node for that.
 *
 * @param refusal what is emitted for a node that answered, and refused; null if nothing is
 */
export function emitNodeErrors(
  redlock: Redlock,
  emitter: EventEmitter,
  event: string,
  refusal: (reply: NodeReplyEvent) => Error | null,
): void {
  const tell = (error: Error | null): void => {
    // An `error` that nobody listens to would be thrown.
    if (error !== null && emitter.listenerCount(event) > 0) emitter.emit(event, error);
  };
  const subscribe = (name: string | symbol): void => {
    if (name !== event) return;
    emitter.off('newListener', subscribe);
    redlock.on('node-error', ({ error }) => tell(error));
    redlock.on('node-reply', (reply) => tell(refusal(reply)));
  };
  emitter.on('newListener', subscribe);
}
