import { advisedMessage, isReplyError } from '../../../../src/reply-error.ts';
import { RunLostError } from '../../testbed-error.ts';

/** What `work` resolves to, which asks a server for something on behalf of the run itself; an error that the server answers becomes a RunLostError that names it. */
export async function askedOf<Result>(node: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isReplyError(error)) throw error;
    throw new RunLostError(
      `${node} refused what the run asked of it, with the error: ${advisedMessage(error)}. Put the server right, or name another one`,
      { cause: error },
    );
  }
}
