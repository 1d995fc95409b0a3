import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { COLUMNS } from './lock/columns.ts';
import { CONTENDERS } from './lock/contenders.ts';
import { pinToServerCore } from './lock/cores.ts';
import { Field } from './lock/field.ts';
import { speedPlot } from './lock/plot.ts';
import { report } from './lock/report.ts';
import { circumstances, type LockResults } from './lock/results.ts';

const HELP = `Times acquire and release of distrilock, of other lock libraries and of bare Redis commands, on local redis-servers.

npm run bench:lock -- [--rounds N] [--only IDS] [--columns IDS] [--seed N] [--quick] [--json] [--write]

--rounds N     rounds of 300 ms of each contender in each column, in random order, after one that warms up (15)
--only IDS     contenders, with commas: ${CONTENDERS.map(({ id }) => id).join(', ')}
--columns IDS  situations, with commas: ${COLUMNS.map(({ id }) => id).join(', ')}; and cost, what a cycle allocates
--seed N       of the order within rounds (1)
--quick        3 rounds of 50 ms: to see that it works
--json         prints all figures as JSON
--write        writes bench/RESULTS.md and docs/lock-speed.svg`;

const COST = 'cost';
/** What a cycle allocates and sends is measured here: the set of nodes that the guides speak of, one cycle after the other. */
const COST_COLUMN = '5-seq';
const RESULTS_FILE = new URL('RESULTS.md', import.meta.url);
const PLOT_FILE = new URL('../docs/lock-speed.svg', import.meta.url);

function chosen(wanted: string | undefined, known: readonly string[], option: string): Set<string> {
  if (wanted === undefined) return new Set(known);
  const ids = wanted.split(',');
  const stranger = ids.find((id) => !known.includes(id));
  if (stranger !== undefined) throw new RangeError(`--${option} knows no ${stranger}, but ${known.join(', ')}`);
  return new Set(ids);
}

function wholeNumber(text: string, option: string, least: number): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < least) {
    throw new RangeError(`--${option} must be a whole number from ${least}, not ${text}`);
  }
  return number;
}

async function measure(field: Field, pinned: boolean): Promise<LockResults> {
  const only = chosen(
    values.only,
    CONTENDERS.map(({ id }) => id),
    'only',
  );
  const columnIds = chosen(values.columns, [...COLUMNS.map(({ id }) => id), COST], 'columns');
  const contenders = CONTENDERS.filter(({ id }) => only.has(id));
  const shared = {
    contenders: contenders.map(({ id }) => id),
    rounds: values.quick ? 3 : wholeNumber(values.rounds, 'rounds', 1),
    roundMs: values.quick ? 50 : 300,
    seed: wholeNumber(values.seed, 'seed', 0),
  };
  const { rounds, roundMs, seed } = shared;
  const known = circumstances(contenders);
  const speed: LockResults['speed'][number][] = [];
  for (const column of COLUMNS.filter(({ id }) => columnIds.has(id))) {
    console.error(column.title);
    speed.push({ column, outcomes: await field.speed({ ...shared, column }) });
  }
  const costColumn = COLUMNS.find(({ id }) => id === COST_COLUMN);
  if (!columnIds.has(COST) || costColumn === undefined)
    return { ...known, pinned, rounds, roundMs, seed, speed, cost: [] };
  console.error('what a cycle allocates');
  const cost = await field.cost({ ...shared, column: costColumn });
  return { ...known, pinned, rounds, roundMs, seed, speed, cost };
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    only: { type: 'string' },
    columns: { type: 'string' },
    seed: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(HELP);
} else {
  const cores = pinToServerCore();
  const field = await Field.open(cores);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void field.close().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
    });
  }
  try {
    const results = await measure(field, cores !== null);
    console.log(values.json ? JSON.stringify(results, null, 2) : report(results, CONTENDERS));
    if (values.write) {
      const config = await resolveConfig(fileURLToPath(RESULTS_FILE));
      writeFileSync(RESULTS_FILE, await format(report(results, CONTENDERS), { ...config, parser: 'markdown' }));
      writeFileSync(PLOT_FILE, speedPlot(results, CONTENDERS));
    }
  } finally {
    await field.close();
  }
}
