import type { Unavailability } from '../results/backend-summary.ts';
import { type Availability, availabilityOf, obstacleOf } from '../testbed/readiness.ts';
import type { Testbed } from '../testbed/testbed.ts';
import { TestbedUnavailableError } from '../testbed/testbed-error.ts';
import { type Host, UsageError } from './console/host.ts';

const ALL = 'all';
/** The backend that takes a redis-server by its path. */
const WITH_REDIS_SERVER = 'processes';

/** A backend that the user asked for. */
export interface Backend {
  readonly testbed: Testbed;
  /** The options that ask for it alone. */
  readonly options: readonly string[];
  /** Why it cannot run here; null if it can. */
  readonly unavailable: Unavailability | null;
}

export interface Diagnosis extends Availability {
  readonly name: string;
}

export interface BackendOptions {
  /** As the user gave them; `all` stands for all that there are. */
  readonly backend: readonly string[];
  readonly redisServer?: readonly string[];
}

/**
 * The backends that the user asked for, each once, and whether they can run here. Rejects with a UsageError if there is no such backend, or if
 * it is the only one and cannot run here.
 */
export async function findBackends(options: BackendOptions, host: Host): Promise<readonly Backend[]> {
  const wanted = await Promise.all(
    wantedBackends(options, host.testbeds).map(async (each) => {
      try {
        return await load(each, host);
      } catch (error) {
        if (!(error instanceof TestbedUnavailableError)) throw error;
        throw new UsageError(`--redis-server ${each.redisServer ?? ''}: ${withRemedy(error.message, error.remedy)}`);
      }
    }),
  );
  refuseSameNames(wanted);
  const backends = await Promise.all(
    wanted.map(async ({ testbed, options }) => {
      const obstacle = obstacleOf(await testbed.check());
      // Nothing will run any more, and what an interruption breaks says nothing about the backend.
      return { testbed, options, unavailable: host.signal.aborted ? null : obstacle };
    }),
  );
  const [first, ...others] = backends;
  if (first !== undefined && others.length === 0 && first.unavailable !== null && !options.backend.includes(ALL)) {
    throw new UsageError(unavailableText(first.testbed.name, first.unavailable));
  }
  return backends;
}

/** What each backend that there is finds here, `processes` with each of these servers. */
export function diagnoseBackends(redisServer: readonly string[], host: Host): Promise<readonly Diagnosis[]> {
  const wanted = wantedBackends({ backend: [ALL], redisServer }, host.testbeds);
  return Promise.all(
    wanted.map(async (each): Promise<Diagnosis> => {
      try {
        const { testbed } = await load(each, host);
        return { name: testbed.name, ...(await testbed.check()) };
      } catch (error) {
        if (!(error instanceof TestbedUnavailableError)) throw error;
        const { problem, remedy } = error;
        return { name: each.name, ...availabilityOf([{ name: 'redis-server', problem, remedy, blocks: 'all' }]) };
      }
    }),
  );
}

/** `no such program. Remedy: install it`: a problem may end like a sentence, or not, or have several lines: then the remedy has one of its own. */
export function withRemedy(problem: string, remedy: string | null): string {
  if (remedy !== null && problem.includes('\n')) return `${problem}\nRemedy: ${remedy}`;
  return remedy === null ? problem : `${problem.replace(/\.$/, '')}. Remedy: ${remedy}`;
}

/** `processes cannot run here: …. Remedy: …` */
export function unavailableText(backend: string, { problem, remedy }: Unavailability): string {
  return `${backend} cannot run here: ${withRemedy(problem, remedy)}`;
}

/** The error to tell the user where a run could not begin: a UsageError that names the backend and the remedy, or any other error as it is. */
export function namingBackend(backend: string, error: unknown): unknown {
  if (!(error instanceof TestbedUnavailableError)) return error;
  return new UsageError(unavailableText(backend, error), { cause: error });
}

interface Wanted {
  readonly name: string;
  readonly redisServer: string | null;
}

function wantedBackends({ backend, redisServer = [] }: BackendOptions, testbeds: Host['testbeds']): Wanted[] {
  const known = Object.keys(testbeds);
  for (const name of backend) {
    if (name !== ALL && !known.includes(name)) {
      const allowed = [...known, ALL].join(', ');
      throw new UsageError(`--backend: there is no backend ${JSON.stringify(name)}; allowed: ${allowed}`);
    }
  }
  const names = [...new Set(backend.flatMap((name) => (name === ALL ? known : [name])))];
  if (redisServer.length > 0 && !names.includes(WITH_REDIS_SERVER)) {
    throw new UsageError(`--redis-server is for the backend ${WITH_REDIS_SERVER}: add --backend ${WITH_REDIS_SERVER}`);
  }
  return names.flatMap((name): Wanted[] => {
    if (name !== WITH_REDIS_SERVER || redisServer.length === 0) return [{ name, redisServer: null }];
    return [...new Set(redisServer)].map((path) => ({ name, redisServer: path }));
  });
}

async function load(
  { name, redisServer }: Wanted,
  { testbeds }: Host,
): Promise<{ readonly testbed: Testbed; readonly options: readonly string[] }> {
  const options = ['--backend', name, ...(redisServer === null ? [] : ['--redis-server', redisServer])];
  return { testbed: await (testbeds[name] as Host['testbeds'][string])({ redisServer }), options };
}

/** Results are told apart by the names of their backends. */
function refuseSameNames(wanted: readonly { readonly testbed: Testbed; readonly options: readonly string[] }[]): void {
  const seen = new Map<string, string>();
  for (const { testbed, options } of wanted) {
    const path = options.at(-1) ?? '';
    const other = seen.get(testbed.name);
    if (other !== undefined) {
      throw new UsageError(
        `--redis-server ${other} and ${path} would both be called ${testbed.name}; run them one after the other with different --out`,
      );
    }
    seen.set(testbed.name, path);
  }
}
