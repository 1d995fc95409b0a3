import type { AcquireCommand, LockCommand } from '../../src/lock-node.ts';

/**
 * Notices where the attempts of a script begin. An attempt has one command for each resource, all with one value, and sends one and the same
 * command to all nodes: so it is another attempt that has another value, or another command for the first resource.
 */
export class AttemptStarts {
  private first: AcquireCommand | null = null;

  /** Whether the command, which is sent now, is the first of an attempt. */
  isBegunBy(command: LockCommand): command is AcquireCommand {
    if (command.kind !== 'acquire') return false;
    const { first } = this;
    if (first?.value === command.value && (first === command || first.key !== command.key)) return false;
    this.first = command;
    return true;
  }
}
