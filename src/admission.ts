import type { Environment } from './environment.ts';
import { UnreachableError } from './errors.ts';
import type { AdmitCommand, LockNode } from './lock-node.ts';
import { describeOutcomes, firstError } from './outcomes.ts';
import { Round } from './round.ts';

/** Admits all these nodes; `settle` gets null once every one of them said so, or an UnreachableError. */
export function admitNodes(
  nodes: readonly LockNode[],
  environment: Environment,
  command: AdmitCommand,
  settle: (failure: UnreachableError | null) => void,
): void {
  let unsettled = nodes.length;
  // It is no vote: every node counts, so one that is missing must not end the round before the others have answered.
  const round = new Round(
    nodes,
    { resources: [], keys: [command.key] },
    {
      commandFor: () => command,
      supports: () => true,
      observe: () => {
        unsettled -= 1;
        if (unsettled === 0) finish();
      },
    },
    () => undefined,
  );
  const cancel = environment.timers.schedule(command.timeoutMs, finish);
  let isFinished = false;
  function finish(): void {
    if (isFinished) return;
    isFinished = true;
    cancel();
    const outcomes = round.outcomes().map((outcome) => ({
      ...outcome,
      outcome: outcome.outcome === 'pending' ? ('timeout' as const) : outcome.outcome,
    }));
    if (outcomes.every(({ outcome }) => outcome === 'admitted')) {
      settle(null);
      return;
    }
    const message = `Not all nodes were admitted (${describeOutcomes('admitted', outcomes)})`;
    settle(new UnreachableError(message, [], outcomes, { cause: firstError(outcomes) }));
  }
  round.start(command.timeoutMs, null);
}
