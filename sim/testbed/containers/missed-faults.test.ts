import { describe } from 'vitest';
import { describeMissedFaults } from '../missed-faults.conformance.ts';
import { realStory } from '../real/real-testing.ts';
import { whyNoContainers } from './container-testing.ts';
import { containersTestbed } from './containers-testbed.ts';

const obstacle = await whyNoContainers();

describe.skipIf(obstacle !== null)(`containers${obstacle === null ? '' : `: ${obstacle}`}`, () => {
  describeMissedFaults('in containers', (changes) => realStory(changes, {}, containersTestbed));
});
