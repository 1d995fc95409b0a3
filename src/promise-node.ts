import type { LockCommand, LockNode, LockReply } from './lock-node.ts';

/**
 * Makes a LockNode of a function that answers by a promise. A function that throws, or whose promise rejects,
 * has failed without saying whether the command ran.
 *
 * @param id names the node; unique within one Redlock
 * @param answer runs one command and resolves to its reply
 * @param connection what to close when the Redlock quits
 */
export function nodeFromPromises(
  id: string,
  answer: (command: LockCommand) => Promise<LockReply>,
  connection?: LockNode['connection'],
): LockNode {
  return {
    id,
    execute(command, settle): void {
      new Promise<LockReply>((resolve) => {
        resolve(answer(command));
      }).then(settle, (reason: unknown) => {
        const error =
          reason instanceof Error ? reason : new Error(`${id} failed with ${String(reason)}`, { cause: reason });
        settle({ kind: 'failed', error, sent: true });
      });
    },
    ...(connection === undefined ? {} : { connection }),
  };
}
