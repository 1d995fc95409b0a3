import fc from 'fast-check';
import type { LockCommand, LockReply } from '../../src/lock-node.ts';
import type { RestartGuard } from '../../src/restart-guard.ts';

/** What the suite runs on: something that answers lock commands, and whose wall clock the suite sets. */
export interface ConformanceSubject {
  execute(command: LockCommand): Promise<LockReply>;
  /** Sends the commands together; absent where commands cannot travel together. */
  readonly executeTogether?: (commands: readonly LockCommand[]) => Promise<readonly LockReply[]>;
  /**
   * Sets the node's wall clock, in milliseconds since the epoch; it may step back. Of these keys, those that are over by then are gone
   * when this resolves: a server drops them when somebody asks, or by itself some time later, so that a step back could find them either way.
   */
  setClock(nowMs: number, keys: readonly string[]): Promise<void>;
  /** Empties the node. */
  flush(): Promise<void>;
  /** Leaves the marker of the guard as a server finds it that has restarted: with the run_id of another run. */
  ageMarker(markerKey: string): Promise<void>;
  /** Makes the node a replica and at once a primary again, which keeps its process, its keys and its connections. */
  demoteForAMoment(): Promise<void>;
}

/** One step of a sequence: a command, a move of the node's clock, or what makes a node one that may have forgotten locks. */
export type ConformanceStep =
  | { readonly command: LockCommand }
  | { readonly moveClockMs: number }
  | { readonly forget: 'everything' | 'its run' | 'its history' };

/** A node's guard, for a test: of whatever length. */
function guardOf(quarantineMs: number): RestartGuard {
  return { markerKey: 'marker', quarantineKey: 'quarantine', quarantineMs };
}

/** The run_id that a marker tells of when the server has restarted since. */
export const FORMER_RUN = '0000000000000000000000000000000000000000';

export const START_MS = Date.UTC(2026, 0, 1);

const TIMEOUT_MS = 10_000;

/**
 * Runs the steps in order, on keys that begin with `prefix`, each command by itself or all those together between which nothing else happens;
 * returns what was answered.
 */
export async function transcript(
  subject: ConformanceSubject,
  steps: readonly ConformanceStep[],
  prefix: string,
  how: 'alone' | 'together' = 'alone',
): Promise<string[]> {
  let nowMs = START_MS;
  const inRun = (command: LockCommand): LockCommand => withPrefix(command, prefix);
  const keys = [...new Set(steps.flatMap((step) => ('command' in step ? keysOf(inRun(step.command)) : [])))];
  await subject.setClock(nowMs, keys);
  const lines: string[] = [];
  let gathered: LockCommand[] = [];
  const sendGathered = async (): Promise<void> => {
    const commands = gathered;
    gathered = [];
    if (commands.length === 0) return;
    if (subject.executeTogether === undefined) throw new Error('commands cannot travel together here');
    lines.push(...(await subject.executeTogether(commands)).map(describeReply));
  };
  for (const step of steps) {
    if ('command' in step) {
      const command = inRun(step.command);
      if (how === 'together') gathered.push(command);
      else lines.push(describeReply(await subject.execute(command)));
      continue;
    }
    await sendGathered();
    if ('moveClockMs' in step) {
      nowMs += step.moveClockMs;
      await subject.setClock(nowMs, keys);
      continue;
    }
    if (step.forget === 'everything') await subject.flush();
    else if (step.forget === 'its history') await subject.demoteForAMoment();
    else await subject.ageMarker(prefix + guardOf(0).markerKey);
  }
  await sendGathered();
  return lines;
}

function withPrefix(command: LockCommand, prefix: string): LockCommand {
  const key = prefix + command.key;
  if (command.kind === 'admit') return { ...command, key, quarantineKey: prefix + command.quarantineKey };
  if (command.kind !== 'acquire' || command.guard === null) return { ...command, key };
  const { markerKey, quarantineKey, quarantineMs } = command.guard;
  const guard = { markerKey: prefix + markerKey, quarantineKey: prefix + quarantineKey, quarantineMs };
  return { ...command, key, guard };
}

/** The keys with a time to live that it looks at. */
function keysOf(command: LockCommand): string[] {
  if (command.kind === 'admit') return [command.quarantineKey];
  if (command.kind === 'acquire' && command.guard !== null) return [command.key, command.guard.quarantineKey];
  return [command.key];
}

function describeReply(reply: LockReply): string {
  switch (reply.kind) {
    case 'granted':
      return reply.token === null ? 'granted' : `granted ${reply.token}`;
    case 'inspected':
      return `inspected ${reply.value ?? 'nothing'} ${reply.remainingMs ?? ''}`.trim();
    case 'failed':
      return `failed: ${reply.error.message}`;
    default:
      return reply.kind;
  }
}

function acquire(
  key: string,
  value: string,
  ttlMs: number,
  tokenHint: number | null = null,
  guard: RestartGuard | null = null,
): ConformanceStep {
  return { command: { kind: 'acquire', key, value, ttlMs, timeoutMs: TIMEOUT_MS, fresh: false, tokenHint, guard } };
}

/** The step with a value that counts as never sent before. */
function asFresh(step: ConformanceStep): ConformanceStep {
  if (!('command' in step) || step.command.kind !== 'acquire') throw new Error('only acquires can be fresh');
  return { command: { ...step.command, fresh: true } };
}

function guarded(key: string, value: string, quarantineMs: number, tokenHint: number | null = null): ConformanceStep {
  return acquire(key, value, 100, tokenHint, guardOf(quarantineMs));
}

function admit(): ConformanceStep {
  const { markerKey: key, quarantineKey } = guardOf(0);
  return { command: { kind: 'admit', key, quarantineKey, timeoutMs: TIMEOUT_MS } };
}

function forget(what: 'everything' | 'its run' | 'its history'): ConformanceStep {
  return { forget: what };
}

function commit(key: string, value: string, token: number): ConformanceStep {
  return { command: { kind: 'commit', key, value, token, timeoutMs: TIMEOUT_MS } };
}

function extend(key: string, value: string, ttlMs: number): ConformanceStep {
  return { command: { kind: 'extend', key, value, ttlMs, timeoutMs: TIMEOUT_MS } };
}

function release(key: string, value: string): ConformanceStep {
  return { command: { kind: 'release', key, value, timeoutMs: TIMEOUT_MS } };
}

function inspect(key: string): ConformanceStep {
  return { command: { kind: 'inspect', key, timeoutMs: TIMEOUT_MS } };
}

function moveClock(moveClockMs: number): ConformanceStep {
  return { moveClockMs };
}

/** What every node must answer, case by case. */
export const CASES: readonly {
  readonly title: string;
  readonly steps: readonly ConformanceStep[];
  readonly answers: readonly string[];
}[] = [
  {
    title: 'a free key is granted, a key of another is held',
    steps: [acquire('k', 'a', 100), acquire('k', 'b', 100), inspect('k')],
    answers: ['granted', 'held', 'inspected a 100'],
  },
  {
    title: 'a key that holds our value is granted, and lives at least as long as asked for',
    steps: [acquire('k', 'a', 50), acquire('k', 'a', 100), inspect('k'), acquire('k', 'a', 20), inspect('k')],
    answers: ['granted', 'granted', 'inspected a 100', 'granted', 'inspected a 100'],
  },
  {
    title: 'a fresh value that is there is no vote: it came by another way to the same server',
    steps: [
      asFresh(acquire('k', 'a', 100)),
      asFresh(acquire('k', 'a', 100)),
      acquire('k', 'a', 100),
      asFresh(acquire('l', 'a', 100, 5)),
      asFresh(acquire('l', 'a', 100, 9)),
      acquire('l', 'a', 100, 0),
      admit(),
      asFresh(guarded('m', 'a', 50)),
      asFresh(guarded('m', 'a', 50)),
      asFresh(guarded('m', 'a', 50, 3)),
      guarded('m', 'a', 50, 7),
    ],
    answers: [
      'granted',
      'held',
      'granted',
      'granted 5',
      'held',
      'granted 10',
      'admitted',
      'granted',
      'held',
      'held',
      'granted 7',
    ],
  },
  {
    title: 'a key is there in the very millisecond of its expiry, and gone in the next',
    steps: [
      acquire('k', 'a', 100),
      moveClock(100),
      inspect('k'),
      acquire('k', 'b', 50),
      moveClock(1),
      inspect('k'),
      acquire('k', 'b', 50),
    ],
    answers: ['granted', 'inspected a 0', 'held', 'inspected nothing', 'granted'],
  },
  {
    title: 'a clock that jumps ahead expires keys, and one that is set back keeps them',
    steps: [acquire('k', 'a', 100), moveClock(-5000), inspect('k'), moveClock(5101), inspect('k')],
    answers: ['granted', 'inspected a 5100', 'inspected nothing'],
  },
  {
    title: 'an extension prolongs our key, never shortens it, and never makes it again',
    steps: [
      acquire('k', 'a', 100),
      extend('k', 'a', 300),
      inspect('k'),
      extend('k', 'a', 50),
      inspect('k'),
      extend('k', 'b', 900),
      inspect('k'),
      moveClock(301),
      extend('k', 'a', 100),
      inspect('k'),
    ],
    answers: [
      'granted',
      'extended',
      'inspected a 300',
      'extended',
      'inspected a 300',
      'absent',
      'inspected a 300',
      'absent',
      'inspected nothing',
    ],
  },
  {
    title: 'a release deletes our key and nobody else’s',
    steps: [
      acquire('k', 'a', 100),
      release('k', 'b'),
      inspect('k'),
      release('k', 'a'),
      release('k', 'a'),
      inspect('k'),
    ],
    answers: ['granted', 'absent', 'inspected a 100', 'released', 'absent', 'inspected nothing'],
  },
  {
    title: 'tokens rise above the counter and to the hint, and outlive the key',
    steps: [
      acquire('k', 'a', 100, 1000),
      acquire('k', 'b', 100, 2000),
      release('k', 'a'),
      acquire('k', 'b', 100, 500),
      moveClock(101),
      acquire('k', 'c', 100, 5000),
      acquire('k', 'c', 100, 0),
      acquire('other', 'c', 100, 7),
    ],
    answers: ['granted 1000', 'held', 'released', 'granted 1001', 'granted 5000', 'granted 5001', 'granted 7'],
  },
  {
    title: 'tokens are exact up to the largest hint',
    steps: [
      acquire('k', 'a', 100, 2 ** 52),
      acquire('k', 'a', 100, 0),
      commit('k', 'a', Number.MAX_SAFE_INTEGER - 1),
      acquire('k', 'a', 100, 0),
    ],
    answers: ['granted 4503599627370496', 'granted 4503599627370497', 'committed', 'granted 9007199254740991'],
  },
  {
    title: 'a commit needs our value, and a counter that is not above the token',
    steps: [
      commit('k', 'a', 10),
      acquire('k', 'a', 100, 10),
      commit('k', 'b', 20),
      commit('k', 'a', 9),
      commit('k', 'a', 10),
      commit('k', 'a', 20),
      acquire('k', 'a', 100, 0),
      moveClock(101),
      commit('k', 'a', 99),
    ],
    answers: ['refused', 'granted 10', 'refused', 'refused', 'committed', 'committed', 'granted 21', 'refused'],
  },
  {
    title:
      'with the guard a node whose run nobody has marked grants nothing until its quarantine is over, and stores nothing',
    steps: [
      guarded('k', 'a', 50),
      inspect('k'),
      moveClock(50),
      guarded('k', 'a', 50, 7),
      inspect('k'),
      moveClock(1),
      guarded('k', 'a', 50, 7),
      guarded('k', 'b', 50),
      guarded('l', 'b', 50),
      inspect('l'),
    ],
    answers: [
      'quarantined',
      'inspected nothing',
      'quarantined',
      'inspected nothing',
      'granted 7',
      'held',
      'granted',
      'inspected b 100',
    ],
  },
  {
    title:
      'a quarantine begins anew when the node was emptied or is of another run, and not when somebody meets it again',
    steps: [
      admit(),
      guarded('k', 'a', 50),
      forget('everything'),
      guarded('k', 'b', 50),
      moveClock(30),
      guarded('k', 'b', 50),
      moveClock(21),
      guarded('k', 'b', 50),
      forget('its run'),
      guarded('k', 'b', 50),
      guarded('k', 'c', 50),
      moveClock(51),
      guarded('k', 'b', 50),
    ],
    answers: ['admitted', 'granted', 'quarantined', 'quarantined', 'granted', 'quarantined', 'quarantined', 'granted'],
  },
  {
    title: 'a quarantine begins when the node was a replica meanwhile, whatever it holds',
    steps: [
      admit(),
      guarded('k', 'a', 50),
      forget('its history'),
      guarded('k', 'a', 50),
      guarded('l', 'b', 50),
      moveClock(51),
      guarded('l', 'b', 50),
      forget('its history'),
      admit(),
      guarded('l', 'b', 50),
    ],
    answers: ['admitted', 'granted', 'quarantined', 'quarantined', 'granted', 'admitted', 'granted'],
  },
  {
    title: 'admission ends a quarantine, of a node that is known to remember',
    steps: [
      guarded('k', 'a', 50_000),
      admit(),
      guarded('k', 'a', 50_000),
      moveClock(60_000),
      guarded('l', 'a', 50_000),
    ],
    answers: ['quarantined', 'admitted', 'granted', 'granted'],
  },
  {
    title: 'a quarantine is no matter of commands without the guard, nor of what is known to be there',
    steps: [
      acquire('k', 'a', 100, 3),
      guarded('l', 'b', 50),
      acquire('l', 'b', 100),
      commit('k', 'a', 9),
      extend('k', 'a', 200),
      inspect('k'),
      release('k', 'a'),
    ],
    answers: ['granted 3', 'quarantined', 'granted', 'committed', 'extended', 'inspected a 200', 'released'],
  },
];

const keys = fc.constantFrom('k', 'l');
const values = fc.constantFrom('a', 'b', 'c');
const ttls = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(50, 1000));
const tokens = fc.oneof(fc.integer({ min: 0, max: 8 }), fc.constantFrom(1_767_225_600_000_000, 2 ** 52));

const step: fc.Arbitrary<ConformanceStep> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(keys, values, ttls).map(([key, value, ttlMs]) => acquire(key, value, ttlMs)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(keys, values, ttls, tokens)
      .map(([key, value, ttlMs, hint]) => acquire(key, value, ttlMs, hint)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(keys, values, fc.constantFrom(3, 20, 2000), fc.option(tokens))
      .map(([key, value, quarantineMs, hint]) => guarded(key, value, quarantineMs, hint)),
  },
  { weight: 2, arbitrary: fc.constantFrom(admit(), forget('its run'), forget('its history'), forget('everything')) },
  { weight: 2, arbitrary: fc.tuple(keys, values, tokens).map(([key, value, token]) => commit(key, value, token)) },
  { weight: 3, arbitrary: fc.tuple(keys, values, ttls).map(([key, value, ttlMs]) => extend(key, value, ttlMs)) },
  { weight: 3, arbitrary: fc.tuple(keys, values).map(([key, value]) => release(key, value)) },
  { weight: 2, arbitrary: keys.map((key) => inspect(key)) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 15 }).map((move) => moveClock(move)) },
  { weight: 1, arbitrary: fc.constantFrom(-5000, -13, -1, 1001, 60_000).map((move) => moveClock(move)) },
);

/** Random sequences; each ends with a look at all keys. */
export const sequences: fc.Arbitrary<readonly ConformanceStep[]> = fc
  .array(step, { minLength: 1, maxLength: 30 })
  .map((steps) => [...markFresh(steps), inspect('k'), inspect('l')]);

/** A value that was never sent before is fresh, as it is with the library. One that was is not, or was sent by another node of the same server. */
function markFresh(steps: readonly ConformanceStep[]): ConformanceStep[] {
  const sent = new Set<string>();
  return steps.map((one) => {
    if (!('command' in one) || one.command.kind !== 'acquire') return one;
    const { key, value } = one.command;
    const fresh = !sent.has(`${key}/${value}`);
    sent.add(`${key}/${value}`);
    return { command: { ...one.command, fresh } };
  });
}
