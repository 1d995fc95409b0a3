import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { defineConfig, type Rolldown, type UserConfig } from 'tsdown';

const root = import.meta.dirname;

/** The modules of the library whose exports `distrilock` passes on: what runs in tests must be what runs in production, not a second copy. */
const PUBLIC_MODULES = /[/\\](errors|lock|promise-node|redlock)\.ts$/;
const SOURCES = join(root, 'src') + sep;

/** Imports of modules of the library become imports of `entry`, which stands beside what is bundled. */
function libraryFromItsOwnEntry(modules: RegExp, entry: string): Rolldown.Plugin {
  return {
    name: 'library-from-its-own-entry',
    resolveId: {
      filter: { id: modules },
      handler(source, importer) {
        if (importer === undefined || !resolve(dirname(importer), source).startsWith(SOURCES)) return null;
        return { id: entry, external: true };
      },
    },
  };
}

/** The licences of what is bundled want to travel with it. */
const licencesOfBundledPackages: Rolldown.Plugin = {
  name: 'licences-of-bundled-packages',
  generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
    const packages = new Set(
      modules.flatMap((id) => /^.*[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+/.exec(id) ?? []),
    );
    const texts = [...packages].sort().map((folder) => {
      const name = relative(join(root, 'node_modules'), folder).replaceAll(sep, '/');
      const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
      if (file === undefined) throw new Error(`${name} is bundled, and has no file with its licence`);
      return `${name}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    });
    this.emitFile({
      type: 'asset',
      fileName: 'testbed.licences.txt',
      source: `The testbed contains parts of other packages, under these licences.\n\n${texts.join(`\n${'-'.repeat(72)}\n\n`)}`,
    });
  },
};

/** Of all entries, unless one says otherwise. */
const COMMON: UserConfig = {
  platform: 'node',
  target: 'node20',
  tsconfig: 'tsconfig.src.json',
  dts: true,
  // `index.js` and `index.d.ts` are ES modules because the package says so; CommonJS has `.cjs` and `.d.cts`.
  fixedExtension: false,
  // What the first entry does for all of them.
  clean: false,
};

/** The APIs of other libraries, each on top of the one copy of distrilock that its module system loads. */
const adapters = ['redlock-4', 'redlock-5', 'sesamecare-redlock'].flatMap((name): UserConfig[] =>
  (['esm', 'cjs'] as const).map((format) => ({
    entry: { [name]: `src/adapters/${name}.ts` },
    format,
    plugins: [libraryFromItsOwnEntry(/[/\\]index\.ts$/, format === 'esm' ? './index.js' : './index.cjs')],
  })),
);

const entries: readonly UserConfig[] = [
  {
    entry: ['src/index.ts'],
    format: ['esm', 'cjs'],
    clean: true,
  },
  {
    // Spans and metrics, for those who have OpenTelemetry: it knows the library by its events alone, which are types.
    entry: ['src/opentelemetry.ts'],
    format: ['esm', 'cjs'],
  },
  ...adapters,
  {
    // The simulator and the checkers, for tests. vitest is an ES module, and so is what needs it. What both entries need is there once.
    entry: { vitest: 'sim/vitest/index.ts', 'fast-check': 'sim/fast-check/index.ts' },
    outputOptions: { chunkFileNames: 'testbed.js' },
    format: ['esm'],
    tsconfig: 'tsconfig.json',
    deps: { onlyBundle: ['fastest-levenshtein', 'pure-rand', 'yaml', 'zod'] },
    plugins: [libraryFromItsOwnEntry(PUBLIC_MODULES, './index.js'), licencesOfBundledPackages],
  },
];

export default defineConfig(entries.map((entry): UserConfig => ({ ...COMMON, ...entry })));
