import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { execFileSync } from 'node:child_process';
import type { Column } from './columns.ts';
import type { Contender } from './contender.ts';
import type { CostOutcome, SpeedOutcome } from './measurement.ts';

/** Everything that one run has found out, and where. */
export interface LockResults {
  readonly date: string;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Whether clients and servers had a core each. */
  readonly pinned: boolean;
  /** The load average over a minute, before the run began: what else the machine had to do. */
  readonly loadBefore: number;
  readonly rounds: number;
  readonly roundMs: number;
  readonly seed: number;
  readonly speed: readonly { readonly column: Column; readonly outcomes: readonly SpeedOutcome[] }[];
  readonly cost: readonly CostOutcome[];
}

/** What is known of a run before it begins. */
export function circumstances(
  contenders: readonly Contender[],
): Pick<LockResults, 'date' | 'machine' | 'versions' | 'loadBefore'> {
  const server = /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown';
  const cores = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cores.length} cores of ${cores[0]?.model ?? 'unknown'}, ${process.platform}`,
    versions: {
      node: process.versions.node,
      redis: server,
      ioredis: versionIn('ioredis'),
      ...Object.fromEntries(contenders.map(({ id, folder }) => [id, versionIn(folder)])),
    },
    loadBefore: loadavg()[0] as number,
  };
}

/** The version of the package in this folder of `node_modules`, or of this repository. */
function versionIn(folder: string | null): string {
  const path = folder === null ? '../../package.json' : `../../node_modules/${folder}/package.json`;
  const { version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { readonly version: string };
  return version.replace(/^v/, '');
}
