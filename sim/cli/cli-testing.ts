import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('bin.mjs', import.meta.url));

/** Variables that tell what the tests' own terminal is like. */
const OF_THE_TESTS: readonly string[] = ['NO_COLOR', 'FORCE_COLOR', 'CI', 'NODE_OPTIONS'];

/** What a command line printed, and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** In a process group of its own, which can be sent a signal as a whole. */
  readonly detached?: boolean;
}

/** Starts the real command line in a process of its own, with no terminal. */
export function start(
  words: readonly string[],
  { folder, environment = {}, detached = false }: StartOptions,
): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !OF_THE_TESTS.includes(name));
  return spawn(process.execPath, [BIN, ...words], {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
  });
}

/** Resolves when the process has ended and its output is read. */
export function ended(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Runs the real command line to its end. */
export function distrilock(words: readonly string[], options: StartOptions): Promise<Ended> {
  return ended(start(words, options));
}

/** What a test scenario is to come out as; `long` runs for minutes. */
export type Kind = 'as-expected' | 'not-as-expected' | 'unknown' | 'long';

/** A scenario of two clients and one lock that comes out as wanted. */
function scenarioOf(kind: Kind, title = 'Two clients want one lock'): string {
  const lines = [
    `title: ${JSON.stringify(title)}`,
    'settings: { nodes: 3, ttl: 1s }',
    'clients: { A: , B: }',
    'lesson: One at a time.',
    `expect: { mutual-exclusion: ${kind === 'not-as-expected' ? 'violated' : 'ok'} }`,
    `workload: [{ ${kind === 'long' ? 'repeat: 1000000, ' : ''}steps: [{ acquire: { resource: r } }, { work: 5ms }, release] }]`,
  ];
  if (kind === 'long') lines.push('limit: 100h');
  if (kind === 'unknown') lines.push('happened: [{ event: node-crashed }]');
  return `${lines.join('\n')}\n`;
}

/** Writes a test scenario and returns its path, from the folder. */
export function writeScenario(folder: string, name: string, kind: Kind, title?: string): string {
  writeFileSync(join(folder, `${name}.yaml`), scenarioOf(kind, title));
  return `${name}.yaml`;
}
