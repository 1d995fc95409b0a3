import type { LockCommand } from '../../src/lock-node.ts';

/** The lock value that a command carries, as histories have it; empty where it carries none. */
export function valueOfCommand(command: LockCommand): string {
  return command.kind === 'inspect' || command.kind === 'admit' ? '' : command.value;
}
