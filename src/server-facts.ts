import { withoutCommand } from './reply-error.ts';

/** What the server behind a connection has told about itself. */
export type ServerFacts =
  | {
      /** It may vote. */
      readonly kind: 'known';
      /** What tells it from all other servers: its run_id, which it draws whenever it starts; of a cluster, the ids of its masters. */
      readonly ids: readonly string[];
    }
  | {
      /** It may vote, but nobody can tell whether it is another node's server as well. */
      readonly kind: 'untold';
      readonly why: Error;
    }
  | {
      /** It must not vote, now or ever. */
      readonly kind: 'unfit';
      readonly why: Error;
    };

/** Not all zeros, which is what some services tell of all of their servers. */
const ID = /^(?!0+$)[0-9a-f]+$/;
/** Errors by which a server says that it does not answer this question, whenever it is asked. */
const WILL_NOT_TELL = /^(NOPERM|ERR unknown command)/i;

/**
 * What the answer to INFO says. Redlock counts on independent masters that are each a whole
 * (https://redis.io/docs/latest/develop/use/patterns/distributed-locks/): anything else is unfit.
 */
export function factsOfInfo(answer: unknown): ServerFacts {
  const fields = fieldsOf(typeof answer === 'string' ? answer : '');
  const problem = problemOf(fields);
  if (problem !== null) return { kind: 'unfit', why: new Error(problem) };
  const runId = fields.get('run_id') ?? '';
  if (!ID.test(runId)) return { kind: 'untold', why: new Error('INFO tells no run_id') };
  return { kind: 'known', ids: [runId] };
}

/** What the answer of a Redis Cluster to CLUSTER SLOTS says. */
export function factsOfSlots(answer: unknown): ServerFacts {
  const ranges: readonly unknown[] = Array.isArray(answer) ? answer : [];
  const ids = ranges.map((range) => {
    // The first slot, the last slot, the master, its replicas; a server is its address, its port and its id.
    const master: unknown = Array.isArray(range) ? range[2] : null;
    return String(Array.isArray(master) ? master[2] : '');
  });
  const known = [...new Set(ids)].filter((id) => ID.test(id)).sort();
  if (known.length === 0) return { kind: 'untold', why: new Error('CLUSTER SLOTS tells no ids of servers') };
  return { kind: 'known', ids: known };
}

/** What follows from an answer that is an error. */
export function factsOfError(error: Error): ServerFacts {
  const why = withoutCommand(error);
  return { kind: WILL_NOT_TELL.test(why.message) ? 'untold' : 'unfit', why };
}

function fieldsOf(info: string): ReadonlyMap<string, string> {
  return new Map(
    info.split('\r\n').flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon === -1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
    }),
  );
}

/** Why a server with these fields must not vote, in words; null if nothing is against it. */
function problemOf(fields: ReadonlyMap<string, string>): string | null {
  const mode = fields.get('redis_mode');
  if (mode === 'sentinel') {
    return 'this is a Sentinel, which keeps no locks: write { sentinels: [{ host, port }], name } with the name of the master that it watches';
  }
  if (mode === 'cluster') {
    return 'this is a server of a Redis Cluster: hand over new Cluster([{ host, port }]) of ioredis, which counts as one node, or use single masters';
  }
  if (fields.get('loading') === '1') return 'LOADING the server is still reading its data, and votes once it has';
  if (fields.get('role') === 'slave') {
    const master = `${fields.get('master_host')}:${fields.get('master_port')}`;
    return `this is a replica of ${master}, and locks need independent masters: name the master, or the Sentinels that know it`;
  }
  return null;
}
