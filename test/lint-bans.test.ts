import { readdirSync } from 'node:fs';
import { ESLint } from 'eslint';
import { beforeAll, describe, expect, it } from 'vitest';

const root = new URL('..', import.meta.url).pathname;
let eslint: ESLint;

/** The rules that reject `code` when it stands in the file at `filePath`. */
async function rejections(filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: `${root}${filePath}` });
  if (result === undefined) throw new Error(`${filePath} is ignored by ESLint`);
  return result.messages.map((message) => message.ruleId ?? `no rule: ${message.message}`);
}

/** Some source file of a folder: ESLint's type-aware rules want a path that exists. */
function someFileOf(folder: string): string {
  const file = readdirSync(`${root}${folder}`).find((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  if (file === undefined) throw new Error(`${folder} has no source file`);
  return `${folder}/${file}`;
}

beforeAll(() => {
  eslint = new ESLint({ cwd: root });
});

describe('lint of the library', () => {
  const inLibrary = 'src/environment.ts';

  it.each([
    ['Date', 'export const now: number = Date.now();', 'no-restricted-globals'],
    ['new Date', 'export const now: number = new Date().getTime();', 'no-restricted-globals'],
    ['performance', 'export const now: number = performance.now();', 'no-restricted-globals'],
    ['setTimeout', 'setTimeout(() => undefined, 1);', 'no-restricted-globals'],
    ['setInterval', 'setInterval(() => undefined, 1);', 'no-restricted-globals'],
    ['setImmediate', 'setImmediate(() => undefined);', 'no-restricted-globals'],
    ['globalThis.setTimeout', 'globalThis.setTimeout(() => undefined, 1);', 'no-restricted-globals'],
    ['Math.random', 'export const chance: number = Math.random();', 'no-restricted-properties'],
    ["Math['random']", "export const chance: number = Math['random']();", 'no-restricted-properties'],
    ['destructured Math.random', 'const { random } = Math; random();', 'no-restricted-properties'],
    ['AbortSignal.timeout', 'export const signal: AbortSignal = AbortSignal.timeout(1);', 'no-restricted-properties'],
    ['crypto', 'export const id: string = crypto.randomUUID();', 'no-restricted-globals'],
    ['node:crypto', "import { randomBytes } from 'node:crypto'; randomBytes(20);", 'no-restricted-imports'],
    ['crypto without node:', "import { randomBytes } from 'crypto'; randomBytes(20);", 'no-restricted-imports'],
    ['node:timers', "import { setTimeout as later } from 'node:timers'; later(() => 0, 1);", 'no-restricted-imports'],
    ['node:perf_hooks', "import { performance as p } from 'node:perf_hooks'; p.now();", 'no-restricted-imports'],
    ['import()', "void import('node:crypto');", 'no-restricted-syntax'],
    ['process', 'export const id: number = process.pid;', 'no-restricted-globals'],
    ['node:process', "import { pid } from 'node:process'; export const id: number = pid;", 'no-restricted-imports'],
    ['console', "console.log('here');", 'no-restricted-globals'],
    [
      'the testbed',
      "import { PROPERTIES } from '../sim/checkers/verdict.ts'; PROPERTIES.at(0);",
      'no-restricted-imports',
    ],
    ['a type of the testbed', "export type { History } from '../sim/history/history.ts';", 'no-restricted-imports'],
    ['default exports', 'export default 1;', 'no-restricted-syntax'],
    ['default exports by name', 'const one = 1; export { one as default };', 'no-restricted-syntax'],
    [
      'floating promises',
      'async function later(): Promise<void> { await Promise.resolve(); } later();',
      '@typescript-eslint/no-floating-promises',
    ],
    ['files that grow too long', 'export const one: number = 1;\n'.repeat(401), 'max-lines'],
  ])('rejects %s', async (_what, code, rule) => {
    expect(await rejections(inLibrary, code)).toContain(rule);
  });

  it('accepts code that takes time from its environment', async () => {
    const code = `import type { LockNode } from './lock-node.ts';
      export function nameOf(node: LockNode): string { return node.id; }`;
    expect(await rejections(inLibrary, code)).toEqual([]);
  });

  it('allows the ambient world in the system environment, but not the testbed', async () => {
    const file = 'src/system-environment.ts';
    const ambient = `import { randomBytes } from 'node:crypto';
      export const all: unknown[] = [Date.now(), performance.now(), setTimeout(() => undefined, 1), Math.random(), randomBytes(20)];`;
    expect(await rejections(file, ambient)).toEqual([]);
    expect(await rejections(file, "export type { History } from '../sim/history/history.ts';")).toContain(
      'no-restricted-imports',
    );
  });
});

describe('lint of the testbed', () => {
  it.each([
    ['a checker that reads the testbed', 'sim/checkers', "export type { Testbed } from '../testbed/testbed.ts';"],
    ['a checker that draws at random', 'sim/checkers', "import { randomInt } from 'node:crypto'; randomInt(2);"],
    ['a checker that reads the scenario', 'sim/checkers', "export type { Scenario } from '../scenario/schema.ts';"],
    [
      'a rule of conduct that reads the testbed',
      'sim/conduct',
      "export type { Testbed } from '../testbed/testbed.ts';",
    ],
    ['a report that reads the testbed', 'sim/report', "export type { Testbed } from '../testbed/testbed.ts';"],
    ['a report that reads the command line', 'sim/report', "export { main } from '../cli/main.ts';"],
    ['a backend in what both share', 'sim/testbed/real', "export type { Docker } from '../containers/docker.ts';"],
    ['Docker in what both share', 'sim/testbed/real', "export type { Container } from 'dockerode';"],
    ['testcontainers in what both share', 'sim/testbed/real/servers', "export { Wait } from 'testcontainers';"],
  ])('rejects %s', async (_what, folder, code) => {
    expect(await rejections(someFileOf(folder), code)).toContain('no-restricted-imports');
  });

  it('lets a checker read a history', async () => {
    const code = "export type { History as Past } from '../history/history.ts';";
    expect(await rejections('sim/checkers/verdict.ts', code)).toEqual([]);
  });

  it('rejects a wall clock in the simulator', async () => {
    expect(await rejections('sim/history/history.ts', 'export const now = Date.now();')).toContain(
      'no-restricted-globals',
    );
  });
});
