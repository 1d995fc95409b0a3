import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { TestbedUnavailableError } from '../testbed-error.ts';

/** Where the programs are that this backend runs, if not on the PATH. */
const REDIS_SERVER_VARIABLE = 'DISTRILOCK_REDIS_SERVER';
const TOXIPROXY_SERVER_VARIABLE = 'DISTRILOCK_TOXIPROXY_SERVER';

/** A program, and what to do if it is not the right one. */
export interface Program {
  readonly path: string;
  readonly remedy: string;
}

/** The redis-server at `named`, or at what the variable names, or the first on the PATH. Throws a TestbedUnavailableError. */
export function redisServerProgram(named: string | null): Program {
  if (named !== null) {
    return {
      path: requireFile(named, '--redis-server'),
      remedy: 'name a redis-server or valkey-server by --redis-server',
    };
  }
  return findProgram(
    REDIS_SERVER_VARIABLE,
    ['redis-server', 'valkey-server'],
    `apt-get install redis-server, or name one in ${REDIS_SERVER_VARIABLE}`,
  );
}

/** The toxiproxy-server that the variable names, or the first on the PATH. Throws a TestbedUnavailableError. */
export function toxiproxyServerProgram(): Program {
  return findProgram(
    TOXIPROXY_SERVER_VARIABLE,
    ['toxiproxy-server'],
    `install Toxiproxy 2.12 (.ci/install-toxiproxy builds it with Go), or name its server in ${TOXIPROXY_SERVER_VARIABLE}`,
  );
}

function findProgram(variable: string, names: readonly string[], remedy: string): Program {
  const setting = process.env[variable];
  if (setting !== undefined && setting !== '') {
    const other = `unset ${variable}, which names it, or name another ${names.join(' or ')} there`;
    return { path: requireFile(setting, variable, `${other}; without one: ${remedy}`), remedy: other };
  }
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of names) if (isProgram(join(folder, name))) return { path: join(folder, name), remedy };
  }
  throw new TestbedUnavailableError(`there is no ${names.join(' or ')} on the PATH`, remedy);
}

function requireFile(path: string, from: string, remedy = 'name a program that can be run'): string {
  if (isProgram(path)) return path;
  throw new TestbedUnavailableError(`${from} names ${path}, which is no program that can be run`, remedy);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
