import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { NOWHERE } from '../../../test/skip-reporter.ts';
import { START_MS } from '../lock-node.conformance.ts';
import { describeRealServer } from '../real/real-lock-node.conformance.ts';
import { countRemains, otherImages, whyNoContainers } from './container-testing.ts';
import { FrozenContainer } from './frozen-container-testing.ts';
import { redisImage } from './images.ts';

/** Thousands of them are run on processes; here, the ways of images and of Toxiproxy are what may differ. */
const RANDOM_SEQUENCES = 200;

const obstacle = await whyNoContainers();
const images = obstacle === null ? [redisImage().image, ...otherImages] : [];

if (obstacle !== null) {
  describe.skip(`the model node against servers in containers: ${obstacle}`, () => {
    it('answers like a real server', () => undefined);
  });
}

const valkeys = images.filter((image) => image.includes('valkey'));

if (valkeys.length > 0) {
  describe.skip(`the model node against Valkey in containers (${NOWHERE}: its clock cannot be made to stand still; ${valkeys.join(', ')})`, () => {
    it('answers like a real server', () => undefined);
  });
}

for (const image of images.filter((one) => !valkeys.includes(one))) {
  describe(`in a container of ${image}`, () => {
    beforeAll(() => {
      vi.stubEnv('DISTRILOCK_REDIS_IMAGE', image);
    });

    afterAll(async () => {
      vi.unstubAllEnvs();
      expect(await countRemains()).toBe(0);
    });

    describeRealServer('its server', () => FrozenContainer.start(START_MS), RANDOM_SEQUENCES);
  });
}
