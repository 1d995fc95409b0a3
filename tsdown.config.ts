import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { defineConfig, type Rolldown } from 'tsdown';

const root = import.meta.dirname;

/** The modules of the library whose exports `distrilock` passes on: what runs in tests must be what runs in production, not a second copy. */
const PUBLIC_MODULES = /[/\\](errors|lock|promise-node|redlock)\.ts$/;
const SOURCES = join(root, 'src') + sep;

const libraryFromItsOwnEntry: Rolldown.Plugin = {
  name: 'library-from-its-own-entry',
  resolveId: {
    filter: { id: PUBLIC_MODULES },
    handler(source, importer) {
      if (importer === undefined || !resolve(dirname(importer), source).startsWith(SOURCES)) return null;
      return { id: './index.js', external: true };
    },
  },
};

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
      fileName: 'vitest.licences.txt',
      source: `vitest.js contains parts of other packages, under these licences.\n\n${texts.join(`\n${'-'.repeat(72)}\n\n`)}`,
    });
  },
};

export default defineConfig([
  {
    entry: ['src/index.ts'],
    format: ['esm', 'cjs'],
    platform: 'node',
    target: 'node20',
    tsconfig: 'tsconfig.src.json',
    dts: true,
    // `index.js` and `index.d.ts` are ES modules because the package says so; CommonJS has `.cjs` and `.d.cts`.
    fixedExtension: false,
  },
  {
    // Spans and metrics, for those who have OpenTelemetry: it knows the library by its events alone, which are types.
    entry: ['src/opentelemetry.ts'],
    format: ['esm', 'cjs'],
    platform: 'node',
    target: 'node20',
    tsconfig: 'tsconfig.src.json',
    dts: true,
    fixedExtension: false,
    clean: false,
  },
  {
    // The simulator and the checkers, for tests. vitest is an ES module, and so is what needs it.
    entry: { vitest: 'sim/vitest/index.ts' },
    format: ['esm'],
    platform: 'node',
    target: 'node20',
    tsconfig: 'tsconfig.json',
    dts: true,
    fixedExtension: false,
    clean: false,
    deps: { onlyBundle: ['fastest-levenshtein', 'pure-rand', 'yaml', 'zod'] },
    plugins: [libraryFromItsOwnEntry, licencesOfBundledPackages],
  },
]);
