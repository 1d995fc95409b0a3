import { TestbedUnavailableError } from './testbed-error.ts';

/** A part that a backend is made of, as it was found here: a program, a library, a daemon, an image. */
export type Part = PartFound | PartMissing;

export interface PartFound {
  readonly name: string;
  /** As the part itself tells it; null if it tells none. */
  readonly version: string | null;
  /** Its path or address; null if it has none. */
  readonly place: string | null;
}

export interface PartMissing {
  readonly name: string;
  readonly problem: string;
  /** What would put it right. */
  readonly remedy: string;
  /** What cannot run without it: everything, some scenarios only, or everything unless a run can pull it, which only the run finds out. */
  readonly blocks: 'all' | 'some' | 'unless-pulled';
}

/** What a backend needs, and what of it is here. */
export interface Availability {
  /** Whether the backend can run here, if not every scenario. */
  readonly canRun: boolean;
  readonly parts: readonly Part[];
}

export function availabilityOf(parts: readonly Part[]): Availability {
  return { canRun: !missingOf({ parts }).some(({ blocks }) => blocks === 'all'), parts };
}

export function missingOf({ parts }: Pick<Availability, 'parts'>): PartMissing[] {
  return parts.filter((part): part is PartMissing => 'problem' in part);
}

/** Why a backend cannot run here, and the remedies; null if it can. */
export function obstacleOf(availability: Availability): { readonly problem: string; readonly remedy: string } | null {
  const missing = missingOf(availability).filter(({ blocks }) => blocks === 'all');
  if (missing.length === 0) return null;
  return {
    problem: missing.map(({ problem }) => problem).join('; '),
    remedy: [...new Set(missing.map(({ remedy }) => remedy))].join('; '),
  };
}

/** The part as `find` found or missed it, or what its TestbedUnavailableError says. Other errors pass. */
export async function lookFor(
  name: string,
  blocks: PartMissing['blocks'],
  find: () => Promise<Omit<PartFound, 'name'> | Omit<PartMissing, 'name'>>,
): Promise<Part> {
  try {
    return { name, ...(await find()) };
  } catch (error) {
    if (!(error instanceof TestbedUnavailableError)) throw error;
    return { name, problem: error.message, remedy: error.remedy, blocks };
  }
}
