import { NONE, type RunTables } from '../history/tables/run-tables.ts';
import { MOST_VIOLATIONS, type Property, type PropertyVerdict, type Violation } from './verdict.ts';

/** What a checker has found out about one property. */
export class Findings {
  private readonly property: Property;
  private readonly tables: RunTables;
  private readonly violations: Violation[] = [];
  private count = 0;

  constructor(property: Property, tables: RunTables) {
    this.property = property;
    this.tables = tables;
  }

  /** Adds a violation; `describe` is only called for those that a verdict names. Events may come in any order, and more than once. */
  add(describe: () => Violation): void {
    this.count += 1;
    if (this.violations.length === MOST_VIOLATIONS) return;
    const { message, events } = describe();
    const distinct = new Set(events.filter((index) => index !== NONE));
    this.violations.push({ message, events: [...distinct].sort((one, other) => one - other) });
  }

  /**
   * The verdict. `unjudged` says why nothing in the history bears on the property; null if something does. Besides, nothing
   * is `ok` in a history that contradicts itself, or that does not go to the end of its run: what is missing might be what matters.
   */
  verdict(unjudged: string | null): PropertyVerdict {
    const { property, count, violations } = this;
    if (count > 0) return { property, status: 'violated', count, violations };
    const reason = this.whyNothingIsProven() ?? unjudged;
    return reason === null ? { property, status: 'ok' } : { property, status: 'unknown', reason };
  }

  private whyNothingIsProven(): string | null {
    const { flaw, endReason } = this.tables;
    if (flaw !== null) return `the history contradicts itself: ${flaw}`;
    if (endReason === null) return 'the history breaks off before the end of the run';
    return endReason === 'completed' ? null : `the run was cut short: ${endReason}`;
  }
}
