import { afterEach, describe, expect, it, vi } from 'vitest';
import { judge } from '../../judge/judge.ts';
import { loadScenario } from '../../scenario/load.ts';
import { otherImages, TestFleet, whyNoOtherServers } from './container-testing.ts';
import { containersTestbed } from './containers-testbed.ts';

/** What goes differently from one server to the next: files, memory, replication, the clock; and first of all nothing of that. */
const SCENARIOS = ['contention', 'aof-kill', 'eviction', 'replica-promotion', 'kleppmann-clock-jump'];

const obstacle = await whyNoOtherServers();

afterEach(() => {
  vi.unstubAllEnvs();
});

describe.skipIf(obstacle !== null)(`other servers in containers${obstacle === null ? '' : `: ${obstacle}`}`, () => {
  // Without any, the one test is there to be skipped.
  describe.each(otherImages.length === 0 ? ['none'] : otherImages)('%s', (image) => {
    it('is what its name says', async () => {
      vi.stubEnv('DISTRILOCK_REDIS_IMAGE', image);
      const test = await TestFleet.start();
      try {
        const info = await test.client('n1').info('server');
        const [, product, version] = /(redis|valkey):(\d+\.\d+)/.exec(image) ?? [];
        expect(info).toContain(product === undefined ? 'redis_version:' : `\n${product}_version:${version}.`);
        expect(info.includes('valkey_version:')).toBe(image.includes('valkey'));
      } finally {
        await test.close();
      }
    });

    // One after the other: a run that Docker is slow to clean up gives up all calls of this process.
    it.each(SCENARIOS)('comes to the verdicts that %s expects', async (name) => {
      vi.stubEnv('DISTRILOCK_REDIS_IMAGE', image);
      const scenario = loadScenario(`scenarios/${name}.yaml`);
      const { outcome, reasons } = judge(await containersTestbed.run(scenario, { seed: 1 }), scenario, 'again');
      expect({ outcome, reasons }).toEqual({ outcome: 'as-expected', reasons: [] });
    });
  });
});
