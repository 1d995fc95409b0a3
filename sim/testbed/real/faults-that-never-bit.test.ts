import { describe, expect, it } from 'vitest';
import { judge } from '../../judge/judge.ts';
import { createProcessesTestbed } from '../processes/processes-testbed.ts';
import { realScenario, RealStory, whyNoRealRuns } from './real-testing.ts';

const obstacle = whyNoRealRuns();
const title = 'a fault that touched no byte';

describe.skipIf(obstacle !== null)(obstacle === null ? title : `${title}: ${obstacle}`, { timeout: 60_000 }, () => {
  it('did not bite: what a library never sends to a node that is silent is not lost on the way', async () => {
    const scenario = realScenario({
      settings: { nodes: 3, ttl: '2s', nodeTimeout: '50ms', retryCount: 20, retryDelay: '20ms' },
      clients: { A: null },
      faults: [
        { fault: 'server-pause', nodes: 'n1' },
        // By then the library has found n1 silent.
        { fault: 'loss', clients: 'A', nodes: 'n1', direction: 'request', at: '4s', for: '500ms' },
      ],
      workload: [
        { repeat: 100_000, steps: [{ acquire: { resource: 'stock' } }, { work: '5ms' }, 'release', { rest: '40ms' }] },
      ],
      limit: '5s',
      happened: [{ event: 'message-lost', client: 'A', node: 'n1', direction: 'request' }],
      expect: { 'mutual-exclusion': 'ok' },
    });
    const history = await createProcessesTestbed().run(scenario, { seed: 1 });
    const story = RealStory.of(history);
    const { timeUs: cutUs } = story.started('loss');
    const { timeUs: mendedUs } = story.one('fault-ended', { fault: story.started('loss').fault });
    const refused = story
      .all('reply-received', { node: 'n1', reply: 'failed' })
      .filter(({ timeUs, sent }) => sent === false && timeUs > cutUs && timeUs < mendedUs);
    expect(refused.length).toBeGreaterThan(0);
    expect(story.all('message-lost', { node: 'n1', direction: 'request' })).toEqual([]);
    expect(judge(history, scenario, '').outcome).toBe('unknown');
  });
});
