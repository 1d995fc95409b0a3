/**
 * What the library costs those who import it: how large it is, and how long a fresh process takes to load it, beside ioredis alone and a module that is empty.
 * `npm run size`, with `--quick` for a look and `--json` for machines. The package is packed and installed into empty projects, as users have it.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { transform } from 'esbuild';
import { loadedFiles } from '../test/loaded-files.ts';
import { createProject, packPackage, type Project } from '../test/runtimes/project.ts';
import { pairedRatios, summarize, type Summary } from './lock/statistics.ts';

const SPECIFIERS = ['./empty.js', 'ioredis', 'distrilock'] as const;
type Specifier = (typeof SPECIFIERS)[number];

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
});
const ROUNDS = options.quick ? 5 : 41;

/** The size of what one import loads of distrilock itself. */
interface Size {
  readonly modules: Project['modules'];
  readonly files: readonly string[];
  readonly bytes: number;
  readonly gzipBytes: number;
  /** As a bundler would make it. */
  readonly minifiedGzipBytes: number;
  /** How many files are loaded of other packages, all of them of ioredis and what it needs. */
  readonly otherFiles: number;
}

/** How long fresh processes take for one import. */
interface ColdImport {
  readonly modules: Project['modules'];
  readonly specifier: Specifier;
  readonly timeMs: Summary;
  /** How many times as long as ioredis alone, which the process before or after imported. */
  readonly overIoredis: Summary;
}

async function measureSize({ folder, modules }: Project): Promise<Size> {
  const loaded = await loadedFiles(folder, 'distrilock', modules === 'ESM' ? 'import' : 'require');
  const files = loaded.filter((file) => file.startsWith('distrilock/'));
  const codes = files.map((file) => readFileSync(join(folder, 'node_modules', file)));
  const code = Buffer.concat(codes);
  const minified = await transform(code, { minify: true, format: modules === 'ESM' ? 'esm' : 'cjs' });
  return {
    modules,
    files,
    bytes: code.length,
    gzipBytes: gzipSync(code).length,
    minifiedGzipBytes: gzipSync(minified.code).length,
    otherFiles: loaded.length - files.length,
  };
}

/** How long the import takes in a process that has done nothing else. */
function importOnceMs({ folder, modules }: Project, specifier: Specifier): number {
  const load = modules === 'ESM' ? `await import('${specifier}')` : `require('${specifier}')`;
  const code = `const start = performance.now(); ${load}; process.stdout.write(String(performance.now() - start))`;
  const type = modules === 'ESM' ? 'module' : 'commonjs';
  return Number(
    execFileSync(process.execPath, [`--input-type=${type}`, '-e', code], { cwd: folder, encoding: 'utf8' }),
  );
}

function measureImports(project: Project): ColdImport[] {
  writeFileSync(join(project.folder, 'empty.js'), '');
  const timesMs = new Map<Specifier, number[]>(SPECIFIERS.map((specifier) => [specifier, []]));
  // The first round warms the file system's cache. All take turns, so that what disturbs the machine disturbs all alike.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [specifier, all] of timesMs) {
      const timeMs = importOnceMs(project, specifier);
      if (round > 0) all.push(timeMs);
    }
  }
  const ofIoredis = timesMs.get('ioredis') ?? [];
  return [...timesMs].map(([specifier, all]) => ({
    modules: project.modules,
    specifier,
    timeMs: summarize(all),
    overIoredis: summarize(pairedRatios(all, ofIoredis)),
  }));
}

function report(packedBytes: number, sizes: readonly Size[], imports: readonly ColdImport[], ioredis: string): void {
  const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
  console.log(`The package, with what it brings for tests: ${kib(packedBytes)} packed.\n`);
  console.log('What an import loads of distrilock:\n');
  console.log(
    '|          | files           | size      | gzip     | minified, gzip | files of ioredis and what it needs |',
  );
  console.log(
    '| -------- | --------------- | --------- | -------- | -------------- | ---------------------------------- |',
  );
  for (const { modules, files, otherFiles, ...size } of sizes) {
    const names = files.map((file) => `\`${file.slice(file.indexOf('/') + 1)}\``).join(', ');
    console.log(
      `| ${modules} | ${names} | ${kib(size.bytes)} | ${kib(size.gzipBytes)} | ${kib(size.minifiedGzipBytes)} | ${otherFiles} |`,
    );
  }
  console.log(
    `\nCold import: median and interquartile range of ${ROUNDS} fresh processes, Node ${process.versions.node}, ioredis ${ioredis}:\n`,
  );
  console.log('|          | empty module | ioredis | distrilock, ioredis included | over ioredis |');
  console.log('| -------- | ------------ | ------- | ---------------------------- | ------------ |');
  for (const { modules } of sizes) {
    const row = SPECIFIERS.map((wanted) =>
      imports.find((one) => one.modules === modules && one.specifier === wanted),
    ) as [ColdImport, ColdImport, ColdImport];
    const times = row.map(({ timeMs }) => `${timeMs.median.toFixed(1)} ± ${timeMs.interquartileRange.toFixed(1)} ms`);
    const { overIoredis } = row[2];
    const ratio = `${overIoredis.median.toFixed(2)} ± ${overIoredis.interquartileRange.toFixed(2)} times`;
    console.log(`| ${modules} | ${times.join(' | ')} | ${ratio} |`);
  }
}

const directory = mkdtempSync(join(tmpdir(), 'distrilock-size-'));
process.once('exit', () => {
  rmSync(directory, { recursive: true, force: true });
});
const tarball = await packPackage(join(directory, 'package'));
const projects: Project[] = [];
for (const modules of ['ESM', 'CommonJS'] as const) {
  projects.push(await createProject(join(directory, modules), tarball, '6', modules));
}
const sizes = await Promise.all(projects.map(measureSize));
const imports = projects.flatMap(measureImports);
const packedBytes = statSync(tarball).size;
if (options.json) console.log(JSON.stringify({ packedBytes, sizes, imports }, null, 2));
else report(packedBytes, sizes, imports, projects[0]?.ioredis ?? '');
