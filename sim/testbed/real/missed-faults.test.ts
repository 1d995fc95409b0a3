import { describe } from 'vitest';
import { describeMissedFaults } from '../missed-faults.conformance.ts';
import { realStory, whyNoRealRuns } from './real-testing.ts';

const obstacle = whyNoRealRuns();

describe.skipIf(obstacle !== null)(obstacle ?? 'on real servers', () => {
  describeMissedFaults('on processes', realStory);
});
