import type { Occurrence } from '../scenario/moment.ts';
import type { PropertyVerdict } from '../checkers/verdict.ts';

/** How a run compares with what its scenario expects; see {@link Judgement}. */
export type Outcome = 'as-expected' | 'not-as-expected' | 'unknown';

/** A run held against its scenario: what every report is drawn from, and what `verdict.json` holds. */
export interface Judgement {
  readonly scenario: string;
  readonly title: string;
  /** What one learns from the scenario, in prose (paragraphs apart by an empty line), and where it comes from: web addresses. */
  readonly lesson: string;
  readonly sources: readonly string[];
  readonly backend: string;
  readonly seed: number;
  /**
   * `as-expected`: every expected verdict came true, nothing else was violated and all that should have happened did.
   * `not-as-expected`: a property was judged and its verdict is not the expected one (or it was violated and nobody expected that).
   * `unknown`: otherwise (something that must have happened did not, or an expected property could not be judged). Never green.
   */
  readonly outcome: Outcome;
  /** Why the run came to nothing, through no doing of the scenario: a server was killed, say. Then everything is unknown. Null if it did not. */
  readonly lost: string | null;
  /** One for each of PROPERTIES, in their order; `expected` is null where the scenario does not name it. */
  readonly properties: readonly {
    readonly expected: 'ok' | 'violated' | null;
    readonly verdict: PropertyVerdict;
  }[];
  /** Each thing that must have happened, how often it did, and whether that is enough. */
  readonly happened: readonly { readonly occurrence: Occurrence; readonly count: number; readonly met: boolean }[];
  /** Why the outcome is not as expected, or unknown: sentences for people; empty when as expected. */
  readonly reasons: readonly string[];
  /** The one command that runs this again. */
  readonly replay: string;
  /** Lock operations and events in the history, and the virtual or real milliseconds that it spans. */
  readonly counts: {
    readonly operations: number;
    readonly leases: number;
    readonly events: number;
    readonly spanMs: number;
  };
}
