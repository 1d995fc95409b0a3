import type Dockerode from 'dockerode';
import { statusOf } from './docker.ts';

/** Docker's exit code of a process that a signal has killed is this and the number of the signal. */
const KILLED = 128;

/** How a container has ended: `was killed by signal 9`; null if it runs, or is paused. */
export async function endOf(container: Dockerode.Container): Promise<string | null> {
  try {
    const { State } = await container.inspect();
    if (State.Running) return null;
    if (State.OOMKilled) return 'was killed for want of memory';
    return State.ExitCode > KILLED
      ? `was killed by signal ${State.ExitCode - KILLED}`
      : `ended with exit code ${State.ExitCode}`;
  } catch (error) {
    if (statusOf(error) === 404) return 'was removed';
    throw error;
  }
}
