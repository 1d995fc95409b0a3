import type { Mutant } from './mutant.ts';
import { ATTEMPTS } from './set/attempts.ts';
import { FENCING } from './set/fencing.ts';
import { GUARD } from './set/guard.ts';
import { HOLDERS } from './set/holders.ts';
import { USING } from './set/using.ts';
import { VALIDITY } from './set/validity.ts';
import { VOTES } from './set/votes.ts';

/** All mutants, by what is broken in them. */
export const MUTANTS: readonly Mutant[] = [
  ...VOTES,
  ...VALIDITY,
  ...ATTEMPTS,
  ...HOLDERS,
  ...FENCING,
  ...GUARD,
  ...USING,
];
