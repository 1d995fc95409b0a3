import type { Mutant } from '../mutant.ts';

const MODEL_NODE = 'sim/testbed/model-node/model-node.ts';

/** Restart guards that let nodes vote that may have forgotten locks. */
export const GUARD: readonly Mutant[] = [
  {
    name: 'quarantine-not-heeded',
    broken: 'a node that may have forgotten locks refuses the first time that it is asked, and no more',
    patches: [
      {
        file: MODEL_NODE,
        find: 'return Math.floor(nowMs) > (quarantines.get(quarantineKey) ?? Number.NEGATIVE_INFINITY) ? null : QUARANTINED;',
        replace: 'return null;',
      },
    ],
  },
  {
    name: 'quarantine-too-short',
    broken: 'a node that may have forgotten locks refuses for as long as clocks may differ, and not for a lease',
    patches: [
      {
        file: 'src/restart-guard.ts',
        find: 'quarantineMs: longestTtlMs + driftAllowanceMs(',
        replace: 'quarantineMs: driftAllowanceMs(',
      },
    ],
  },
  {
    name: 'mark-of-any-run',
    broken: 'the mark of an earlier run of the server passes for that of this one',
    patches: [
      {
        file: MODEL_NODE,
        find: 'if (markers.get(markerKey) === runId) {',
        replace: 'if (markers.has(markerKey)) {',
      },
    ],
  },
  {
    name: 'no-mark-needed',
    broken: 'a node without a mark is trusted as if it had one',
    patches: [
      {
        file: MODEL_NODE,
        find: 'if (markers.get(markerKey) === runId) {',
        replace: 'if ((markers.get(markerKey) ?? runId) === runId) {',
      },
    ],
  },
  {
    name: 'guard-not-asked-for',
    broken: 'nodes are not told of the guard',
    patches: [{ file: 'src/acquisition.ts', find: 'guard: options.restartGuard,', replace: 'guard: null,' }],
  },
  {
    name: 'longest-time-to-live-exceeded',
    broken: 'locks may live longer than the restart guard reckons with',
    patches: [{ file: 'src/options.ts', find: 'if (ttl > longestTtlMs) {', replace: 'if (ttl > longestTtlMs * 2) {' }],
  },
  {
    name: 'extension-exceeds-longest-time-to-live',
    broken: 'an extension may be for longer than the restart guard reckons with',
    patches: [{ file: 'src/lock.ts', find: 'checkTtl(ttl, options);', replace: '' }],
  },
];
