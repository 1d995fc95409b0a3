import { describe, expect, it } from 'vitest';
import { processFleetStarter } from '../processes/process-fleet.ts';
import { RunLostError } from '../testbed-error.ts';
import { realScenario, RealStory, whyNoRealRuns } from './real-testing.ts';
import { RealRun } from './real-run.ts';
import type { Fleet, FleetStarter } from './servers/server-fleet.ts';

const obstacle = whyNoRealRuns();
const title = 'a run whose server is lost';

/** A fleet that is asked in this way what has ended; a server of it is stopped as if nobody had asked for it. */
async function reasonWith(unaskedEnd: Fleet['unaskedEnd']): Promise<string> {
  const processes = processFleetStarter({ backend: 'processes', redisServer: null });
  let fleet: Fleet | null = null;
  const starter: FleetStarter = {
    backend: 'processes',
    start: async (request) => {
      fleet = Object.assign(await processes.start(request), { unaskedEnd });
      return fleet;
    },
  };
  const onStep = (step: string): void => {
    if (step === 'the scenario goes on') void fleet?.servers.get('n2')?.stop('SIGKILL');
  };
  const history = await new RealRun(starter, realScenario({ limit: '5s' }), { seed: 1, onStep }).run();
  return RealStory.of(history).one('run-ended').reason;
}

describe.skipIf(obstacle !== null)(obstacle === null ? title : `${title}: ${obstacle}`, { timeout: 40_000 }, () => {
  it.concurrent('is lost for the reason that nobody can be asked about it, if it is so', async () => {
    const reason = await reasonWith(() => Promise.reject(new RunLostError('Docker is gone')));
    expect(reason).toContain('Docker is gone');
  });

  it.concurrent('is lost even where nobody ever answers what has become of it', async () => {
    const reason = await reasonWith(() => new Promise(() => undefined));
    expect(reason).toContain('nobody tells whether a server has ended, after: the server behind');
  });
});
