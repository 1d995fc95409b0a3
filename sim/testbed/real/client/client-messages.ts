import type { HistoryEvent } from '../../../history/event.ts';
import type { Scenario, Script } from '../../../scenario/schema.ts';
import type { WriteDecision } from '../../../workload/protected-resource.ts';
import type { Address } from '../address.ts';
import type { ClockSettings } from './skewed-environment.ts';

/** How the clients of a run configure the library. */
export type ClientSettings = Omit<Scenario['settings'], 'nodes'>;

/** What a client process is told first. */
export interface ClientConfiguration {
  readonly name: string;
  /** Its place among the clients, from 0, and how many there are: it numbers every so many-th operation. */
  readonly place: number;
  readonly clientCount: number;
  readonly seed: number;
  /** Where it keeps its part of the history while it runs. */
  readonly historyFile: string;
  readonly clock: ClockSettings;
  readonly settings: ClientSettings;
  readonly keyPrefix: string;
  /** The addresses of the nodes, by name, as this client reaches them. */
  readonly nodes: Readonly<Record<string, Address>>;
  readonly resource: Address;
}

/** What the run tells a client process. */
export type ToClient =
  | { readonly type: 'configure'; readonly configuration: ClientConfiguration }
  /** The run begins: `process.hrtime.bigint()` read so then, in decimal. */
  | { readonly type: 'begin'; readonly startNs: string }
  | { readonly type: 'run'; readonly task: number; readonly script: Script }
  | { readonly type: 'probe'; readonly task: number; readonly resource: string }
  /** Scripts stop before their next step, and acquires at once. */
  | { readonly type: 'cut-off' }
  | { readonly type: 'jump-wall-clock'; readonly task: number; readonly byMs: number }
  | { readonly type: 'set-clock-rate'; readonly task: number; readonly rate: number }
  /** Done once all commands are answered that were sent before. */
  | { readonly type: 'await-answers'; readonly task: number };

/** What a client process tells the run. */
export type FromClient =
  /** Its connections are open. */
  | { readonly type: 'ready' }
  | { readonly type: 'event'; readonly event: HistoryEvent }
  | { readonly type: 'lease'; readonly key: string; readonly value: string }
  /** What the protected resource answered to a write. */
  | { readonly type: 'write-answered'; readonly write: number; readonly reply: WriteDecision }
  /** The protected resource answered it with an error, in these words. */
  | { readonly type: 'write-failed'; readonly write: number; readonly error: string }
  /** It cannot keep its part of the history, and keeps no more of it: what is wrong with that file. */
  | { readonly type: 'output-failed'; readonly problem: string }
  /** A task is done; `error` tells of a defect. `granted` is the outcome of a probe. */
  | { readonly type: 'done'; readonly task: number; readonly granted?: boolean; readonly error?: string };
