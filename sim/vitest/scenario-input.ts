import type { Property } from '../checkers/verdict.ts';
import type { HistoryEventType } from '../history/event.ts';
import type { EventPattern } from '../history/event-pattern.ts';
import type { FaultInput } from './fault-input.ts';

/** A length of time: milliseconds, or a text such as `250us`, `20ms`, `1.5s`, `2m` or `1h`. */
export type DurationInput = number | string;

/** A length of time, or a range such as `10ms..50ms` from which one is drawn each time it is needed. */
export type DurationRangeInput = number | string;

/** A client, several clients, `all`, or `holder`: whoever has the newest lease at that moment. */
export type ClientTargetInput = string | readonly string[];

/**
 * Nodes `n1` to `nN`, or `all`, `minority`, `majority`, `held` (those with the key of the newest lease), `resource` (the protected
 * resource), or (only `count` of) the nodes with the key of one client.
 */
export type NodeTargetInput =
  string | readonly string[] | { readonly heldBy: string; readonly count?: number | undefined };

/** The names of events that a scenario can wait for or demand: all but those that frame the run. */
export type ObservableEvent = Exclude<HistoryEventType, 'run-started' | 'run-ended' | 'workload-ended' | 'healed'>;

/** An event of the history: its name, and the fields that must be as given. */
export interface EventPatternInput extends EventPattern {
  readonly event: ObservableEvent;
}

/** The moment when something has happened. */
export interface AfterInput extends EventPatternInput {
  /** Which of such events (1, the first). */
  readonly nth?: number | undefined;
  /** How long after it (0). */
  readonly delay?: DurationInput | undefined;
}

/** When something begins: `at` so long after the beginning of the run (0), or `after` an event. */
export interface MomentInput {
  readonly at?: DurationInput | undefined;
  readonly after?: AfterInput | undefined;
}

/** An event that must have happened: at least once, unless it says otherwise. */
export interface OccurrenceInput extends EventPatternInput {
  readonly atLeast?: number | undefined;
  readonly atMost?: number | undefined;
  /** Only what happens before the first such event counts; nothing does if there is none. */
  readonly before?: EventPatternInput | undefined;
}

/** The settings under test: as in production, but for `nodes` (5), `ttl` (10s) and `fencing` (false). What is left out has the library's default. */
export interface SettingsInput {
  /** How many independent Redis masters there are. */
  readonly nodes?: number | undefined;
  /** The time to live of each lock. */
  readonly ttl?: DurationInput | undefined;
  /** Retries after the first attempt; -1 without limit. */
  readonly retryCount?: number | undefined;
  readonly retryDelay?: DurationInput | undefined;
  readonly retryJitter?: DurationInput | undefined;
  /** Delays that grow from retry to retry, as `exponentialRetry` makes them, in place of the two above. */
  readonly backoff?:
    | {
        readonly base?: DurationInput | undefined;
        readonly factor?: number | undefined;
        readonly cap?: DurationInput | undefined;
      }
    | undefined;
  /** Beyond which an acquire awaits nothing. */
  readonly deadline?: DurationInput | undefined;
  /** How often one lock may be extended; -1 without limit. */
  readonly extensionLimit?: number | undefined;
  readonly clockDriftFactor?: number | undefined;
  readonly nodeTimeout?: DurationInput | undefined;
  /** The longest lease that anybody may have: a node that may have forgotten locks does not vote until that long is over (no guard). */
  readonly restartGuard?: DurationInput | undefined;
  /** Whether locks carry fencing tokens, which the protected resource then checks. */
  readonly fencing?: boolean | undefined;
}

/** A client whose clock is not a good one. */
export interface ClientInput {
  /** Which clock the library reads for elapsed time (monotonic). */
  readonly clock?: 'monotonic' | 'wall' | undefined;
  /** How far its wall clock is off; may be negative. */
  readonly wallOffset?: DurationInput | undefined;
  /** Seconds of its clocks in a true second (1). */
  readonly rate?: number | undefined;
}

export interface NodesInput {
  readonly persistence?: 'none' | 'rdb' | 'aof-everysec' | 'aof-always' | 'aof-no' | undefined;
  readonly maxmemoryPolicy?:
    'noeviction' | 'allkeys-lru' | 'allkeys-random' | 'volatile-lru' | 'volatile-random' | 'volatile-ttl' | undefined;
  /** Whether each node has a replica that can be promoted. */
  readonly replica?: boolean | undefined;
}

export interface AcquireInput {
  /** `{client}` in it stands for the client's own name. */
  readonly resource: string | readonly string[];
  readonly ttl?: DurationInput | undefined;
  readonly retryCount?: number | undefined;
  readonly retryDelay?: DurationInput | undefined;
  readonly retryJitter?: DurationInput | undefined;
  /** Beyond which the acquire awaits nothing. */
  readonly deadline?: DurationInput | undefined;
  /** Aborts the acquire by its signal after so long. */
  readonly giveUpAfter?: DurationInput | undefined;
}

export interface UsingInput extends AcquireInput {
  /** How often the lock is extended by itself; -1 without limit. */
  readonly extensionLimit?: number | undefined;
  /** For this long, or until the signal of the routine fires. */
  readonly work: DurationRangeInput;
}

/**
 * One thing that a client does. If `acquire` fails, the rest of the round is skipped; `using` takes a lock, works under it and gives it back; `extend` gives the
 * lock so long to live from then on, and with `beside` nobody waits for that; `close` closes the Redlock so much later.
 */
export type StepInput =
  | { readonly acquire: AcquireInput }
  | { readonly using: UsingInput }
  | { readonly work: DurationRangeInput }
  | { readonly extend: DurationInput; readonly beside?: boolean | undefined }
  | { readonly close: DurationInput }
  | { readonly rest: DurationRangeInput }
  | 'write'
  | 'release';

export interface ScriptInput extends MomentInput {
  /** Who runs it (all). */
  readonly clients?: ClientTargetInput | undefined;
  /** How often each of them does (1). */
  readonly repeat?: number | undefined;
  readonly steps: readonly StepInput[];
}

/** A scenario: what a scenario file says, as an object. Everything may be left out. */
export interface ScenarioInput {
  readonly title?: string | undefined;
  readonly source?: string | readonly string[] | undefined;
  readonly settings?: SettingsInput | undefined;
  /** So many clients, c1, c2 and so on (3), or clients by name. */
  readonly clients?: number | Readonly<Record<string, ClientInput | null>> | undefined;
  readonly nodes?: NodesInput | undefined;
  /** `latency` of a message one way (200us..1ms). */
  readonly network?: { readonly latency?: DurationRangeInput | undefined } | undefined;
  /** What clients do: unless told otherwise, each takes the lock ten times, and works and writes under it for at most a tenth of its life. */
  readonly workload?: readonly ScriptInput[] | undefined;
  /** What goes wrong (nothing). */
  readonly faults?: readonly FaultInput[] | undefined;
  /** When the workload is cut off (1m). */
  readonly limit?: DurationInput | undefined;
  /** What must have happened for a verdict to count: unless told otherwise, that every fault began. */
  readonly happened?: readonly OccurrenceInput[] | undefined;
  /** What `toBeAsExpected` demands. A property that is not named must not be violated. */
  readonly expect?: Readonly<Partial<Record<Property, 'ok' | 'violated'>>> | undefined;
  readonly lesson?: string | undefined;
}
