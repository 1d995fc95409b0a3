import type { Mutant } from '../mutant.ts';

const KEEPER = 'src/lease-keeper.ts';

/** Work by `using` that goes on when the lock is over, or whose lock is not kept. */
export const USING: readonly Mutant[] = [
  {
    name: 'signal-of-using-never-fires',
    broken: 'work by using goes on when its lock is over',
    patches: [{ file: KEEPER, find: 'this.controller.abort(error);', replace: '' }],
  },
];
