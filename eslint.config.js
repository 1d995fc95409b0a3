import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** What must come in by the Environment instead: the same code runs in virtual time. */
const AMBIENT_TIME_AND_CHANCE = {
  globals: ['Date', 'performance', 'crypto'],
  properties: [
    { object: 'Math', property: 'random' },
    { object: 'AbortSignal', property: 'timeout' },
  ],
  modules: ['crypto', 'perf_hooks', 'timers', 'timers/promises'],
};
const AMBIENT_TIMERS_TOO = {
  ...AMBIENT_TIME_AND_CHANCE,
  globals: [...AMBIENT_TIME_AND_CHANCE.globals, 'setTimeout', 'setInterval'],
};
const AMBIENT_WORLD = {
  ...AMBIENT_TIME_AND_CHANCE,
  globals: [
    ...AMBIENT_TIME_AND_CHANCE.globals,
    'setTimeout',
    'setInterval',
    'setImmediate',
    'process',
    'console',
    'globalThis',
    'global',
  ],
  modules: [...AMBIENT_TIME_AND_CHANCE.modules, 'process', 'console', 'child_process', 'worker_threads'],
};

/** Rules that ban the given parts of the ambient world, and imports that match the given patterns. */
function bans(ambient, message, importPatterns = []) {
  return {
    'no-restricted-globals': ['error', ...ambient.globals.map((name) => ({ name, message }))],
    'no-restricted-properties': ['error', ...ambient.properties.map((property) => ({ ...property, message }))],
    'no-restricted-imports': [
      'error',
      {
        paths: ambient.modules.flatMap((name) => [
          { name, message },
          { name: `node:${name}`, message },
        ]),
        patterns: importPatterns,
      },
    ],
  };
}

const FROM_SIM = {
  regex: '^\\.\\./(.*/)?sim/|^distrilock-testbed',
  message: 'The library must not know the testbed.',
};
const WORLD_OF_RUNS = 'testbed|cli|workload|faults|conduct|explore|exhaustive|run|vitest|fast-check|mutants';
const NOT_FOR_CHECKERS = {
  regex: `(^|/)(${WORLD_OF_RUNS}|judge|results|report|scenario)/`,
  message: 'A checker reads a history, and nothing else.',
};
const NOT_FOR_REPORTS = {
  regex: `(^|/)(${WORLD_OF_RUNS})/`,
  message:
    'A judgement is made of a history and its scenario, a report of a history and its judgement, and of nothing else.',
};
const NOT_FOR_CONDUCT = {
  regex: '(^|/)(testbed|cli|faults|explore|exhaustive|run|vitest|fast-check|mutants|judge|results|report)/',
  message: 'The rules of conduct read a history and its scenario, and nothing else.',
};

const FROM_ONE_BACKEND = {
  regex: '(^|/)(processes|containers)/|^(dockerode|docker-modem|testcontainers)(/|$)',
  message: 'What both backends of real servers share knows neither.',
};

const NO_DEFAULT_EXPORT = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
  { selector: 'ExportSpecifier[exported.name="default"]', message: 'Named exports only.' },
];
const NO_DYNAMIC_IMPORT = [
  { selector: 'ImportExpression', message: 'Import at the top, where the bans on imports see it.' },
  { selector: 'TSImportEqualsDeclaration', message: 'Import at the top, where the bans on imports see it.' },
];

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', 'api-docs/', 'reports/', 'node_modules/']),
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Numbers and booleans read well in messages; objects and undefined do not.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `() => settle(reply)` says what it means.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', ...NO_DEFAULT_EXPORT],
      'max-lines': ['error', { max: 400 }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['**/*.test.ts', 'src/system-environment.ts'],
    rules: {
      ...bans(AMBIENT_WORLD, 'The library takes time, timers and chance from its Environment.', [FROM_SIM]),
      'no-restricted-syntax': ['error', ...NO_DEFAULT_EXPORT, ...NO_DYNAMIC_IMPORT],
    },
  },
  {
    files: ['src/system-environment.ts', 'src/**/*.test.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [FROM_SIM] }] },
  },
  {
    files: [
      'sim/{faults,history,workload}/**/*.ts',
      'sim/testbed/{simulated,model-node}/**/*.ts',
      'sim/testbed/random-streams.ts',
    ],
    ignores: ['**/*.test.ts'],
    rules: bans(
      AMBIENT_TIMERS_TOO,
      'A run follows from its seed alone: use virtual time and the named random streams.',
    ),
  },
  {
    files: ['sim/checkers/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: bans(AMBIENT_TIME_AND_CHANCE, 'A verdict follows from the history alone.', [NOT_FOR_CHECKERS]),
  },
  {
    files: ['sim/conduct/**/*.ts'],
    ignores: ['**/*.test.ts', '**/*-testing.ts'],
    rules: bans(AMBIENT_TIME_AND_CHANCE, 'What a rule finds follows from the history and its scenario alone.', [
      NOT_FOR_CONDUCT,
    ]),
  },
  {
    files: ['sim/{judge,report,results}/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: bans(AMBIENT_TIME_AND_CHANCE, 'A report follows from a history and its verdicts alone.', [NOT_FOR_REPORTS]),
  },
  {
    files: ['sim/testbed/real/**/*.{ts,mjs}'],
    ignores: ['**/*.test.ts', '**/*-testing.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [FROM_ONE_BACKEND] }] },
  },
  {
    files: ['**/*.test.ts', '**/*.conformance.ts'],
    rules: {
      // A suite may be a list of many cases.
      'max-lines': ['error', { max: 800 }],
    },
  },
  {
    // The tools that read these files want a default export.
    files: ['*.config.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);
