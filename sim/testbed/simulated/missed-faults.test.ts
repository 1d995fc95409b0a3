import { describeMissedFaults } from '../missed-faults.conformance.ts';
import { storyOf } from './simulated-testing.ts';

describeMissedFaults('in virtual time', storyOf);
