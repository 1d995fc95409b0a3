import { ScenarioError } from '../../scenario/load-error.ts';
import { GALLERY_FOLDER, galleryNames, loadScenario } from '../../scenario/load.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { UsageError } from '../console/host.ts';

/** A scenario, and how the user called it. */
export interface WantedScenario {
  readonly reference: string;
  readonly scenario: Scenario;
}

/** Loads the scenarios that the user named, or all of the gallery. Throws a UsageError that says everything that is wrong with any of them. */
export function loadWanted(references: readonly string[]): readonly WantedScenario[] {
  const names = references.length === 0 ? galleryNames() : references;
  if (names.length === 0) throw new UsageError(`There are no scenarios in ${GALLERY_FOLDER}; name a file of your own`);
  const wanted: WantedScenario[] = [];
  const errors: string[] = [];
  for (const reference of names) {
    try {
      wanted.push({ reference, scenario: loadScenario(reference) });
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error;
      errors.push(error.message);
    }
  }
  if (errors.length > 0) throw new UsageError(errors.join('\n'));
  refuseSameNames(wanted);
  return wanted;
}

/** Each scenario has a folder by its name, which some file systems compare without regard to case. */
function refuseSameNames(wanted: readonly WantedScenario[]): void {
  const seen = new Map<string, string>();
  for (const { reference, scenario } of wanted) {
    const folder = scenario.name.toLowerCase();
    const other = seen.get(folder);
    if (other !== undefined) {
      throw new UsageError(
        `${other} and ${reference} would both write to the folder ${scenario.name}; run them one after the other with different --out, or rename one`,
      );
    }
    seen.set(folder, reference);
  }
}
