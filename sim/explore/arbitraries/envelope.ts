import fc from 'fast-check';
import { BOUND_NAMES, type Envelope } from '../envelope/envelope.ts';

/** Envelopes with any of the bounds left open; the whole one is the simplest. */
export const envelopes: fc.Arbitrary<Envelope> = fc.subarray([...BOUND_NAMES]).map((open) => ({ open }));
