import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { judge } from '../sim/judge/judge.ts';
import { parseScenario } from '../sim/scenario/load-text.ts';
import { simulatedTestbed } from '../sim/testbed/simulated/simulated-testbed.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const DOCUMENTS = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'reports/README.md',
];

/** The blocks of code in a document that are marked with this language. */
function codeIn(document: string, language: string): string[] {
  const text = readFileSync(join(root, document), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1] ?? '');
}

/** What the compiler has to say about each of these pieces of code, which import the package by its name. */
function problemsOf(pieces: readonly string[]): string[][] {
  const codes = new Map(pieces.map((code, index) => [join(root, 'docs', `snippet-${index}.ts`), code]));
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: ['node'],
    paths: {
      distrilock: [join(root, 'src/index.ts')],
      'distrilock/opentelemetry': [join(root, 'src/opentelemetry.ts')],
      'distrilock/redlock-4': [join(root, 'src/adapters/redlock-4.ts')],
      'distrilock/redlock-5': [join(root, 'src/adapters/redlock-5.ts')],
      'distrilock/sesamecare-redlock': [join(root, 'src/adapters/sesamecare-redlock.ts')],
      'distrilock/vitest': [join(root, 'sim/vitest/index.ts')],
      'distrilock/fast-check': [join(root, 'sim/fast-check/index.ts')],
    },
  };
  const host = ts.createCompilerHost(options);
  const program = ts.createProgram([...codes.keys()], options, {
    ...host,
    getSourceFile: (path, ...rest) => {
      const code = codes.get(path);
      return code === undefined
        ? host.getSourceFile(path, ...rest)
        : ts.createSourceFile(path, code, ts.ScriptTarget.ES2023);
    },
    fileExists: (path) => codes.has(path) || host.fileExists(path),
    readFile: (path) => codes.get(path) ?? host.readFile(path),
  });
  return [...codes.keys()].map((path) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(path))
      .map((diagnostic) => ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')),
  );
}

describe('code in the documents', () => {
  it('of the library compiles', { timeout: 180_000 }, () => {
    const snippets = DOCUMENTS.flatMap((document) => codeIn(document, 'ts'));
    expect(snippets.length).toBeGreaterThan(0);
    const broken = `${codeIn('README.md', 'ts')[0]}\nawait redlock.acquire(5, 'long');`;
    const problems = problemsOf([...snippets, broken]);
    expect(problems.slice(0, -1)).toEqual(snippets.map(() => []));
    // The compiler would have said so.
    expect(problems.at(-1)).not.toEqual([]);
  });

  it.each(codeIn('docs/scenarios.md', 'yaml').map((code, index) => ({ code, number: index + 1 })))(
    'scenario $number of docs/scenarios.md runs as it says',
    async ({ code }) => {
      const scenario = parseScenario(code, 'docs/scenarios.md', 'in-the-docs');
      const history = await simulatedTestbed.run(scenario, { seed: 1 });
      const judgement = judge(history, scenario, '');
      expect(judgement.reasons).toEqual([]);
      expect(judgement.outcome).toBe('as-expected');
    },
  );

  it('stands in guides that README lists, each once', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const listed = [...readme.matchAll(/^\| \[(docs\/[a-z-]+\.md)\]\(\1\)/gm)].map((match) => match[1]);
    expect(listed.sort()).toEqual(DOCUMENTS.filter((document) => document.startsWith('docs/')).sort());
  });

  it.each(DOCUMENTS)('%s links to files that exist', (document) => {
    const text = readFileSync(join(root, document), 'utf8');
    const targets = [...text.matchAll(/\]\(([^)#\s]+)/g)].map((match) => match[1] ?? '');
    const local = targets.filter((target) => !/^https?:/.test(target));
    expect(local.filter((target) => !existsSync(join(root, dirname(document), target)))).toEqual([]);
  });
});
