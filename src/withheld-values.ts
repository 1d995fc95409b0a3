import type { AcquireCommand, ExtendCommand, ReleaseCommand } from './lock-node.ts';

/** So many are remembered at most: nothing else bounds them if nobody gives back what the node was not told of. */
const MOST_REMEMBERED = 10_000;

/**
 * The values that a node was not sent although it was asked to store them: it does not have them, and need not be told to extend or to delete
 * them. Nothing but traffic depends on it: a value that was forgotten is extended and deleted as if the node had it.
 */
export class WithheldValues {
  private readonly places = new Set<string>();

  /** The acquire will not be sent. That tells only of a value that nobody used before: any other may be there since an earlier acquire. */
  note(command: AcquireCommand): void {
    if (command.fresh && this.places.size < MOST_REMEMBERED) this.places.add(placeOf(command));
  }

  /** Whether the node was never sent what the command is about. A release is the last that is said of a value, which is forgotten by it. */
  cover(command: ReleaseCommand | ExtendCommand): boolean {
    if (this.places.size === 0) return false;
    return command.kind === 'release' ? this.places.delete(placeOf(command)) : this.places.has(placeOf(command));
  }

  forgetAll(): void {
    if (this.places.size > 0) this.places.clear();
  }
}

/** One text for both: values that nobody used before are hexadecimal digits. */
function placeOf({ key, value }: AcquireCommand | ExtendCommand | ReleaseCommand): string {
  return `${value} ${key}`;
}
