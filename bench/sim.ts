import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { checkHistory } from '../sim/checkers/check-history.ts';
import { SimulatedRun } from '../sim/testbed/simulated/simulated-run.ts';
import { barChart } from './bar-chart.ts';
import { median } from './lock/statistics.ts';
import { contention, distinctResources, type SimulatedWorkload } from './sim-workloads.ts';

const HELP = `Times the simulator: the real library on 5 model nodes with 8 clients, history and checkers included.

npm run bench:sim -- [--rounds N] [--quick] [--json] [--plot FILE]

--rounds N   counted rounds of each workload, after one that warms up (5)
--quick      short runs, 2 rounds: to see that it works
--json       prints the figures as JSON
--plot FILE  draws lock cycles a second as SVG, beside what other simulators reach`;

/** Lock cycles a second of other simulators, for the same workload: medians of 5 on a 2-core machine, written down when they were measured. */
const OTHERS = new URL('other-simulators.json', import.meta.url);

interface Figures {
  readonly workload: string;
  readonly lockCyclesPerSecond: number;
  readonly eventsPerSecond: number;
  readonly historyEventsPerSecond: number;
  readonly virtualSecondsPerSecond: number;
  /** Of the time, what the checkers took. */
  readonly checkersShare: number;
  /** Least and largest of the rounds' lock cycles a second. */
  readonly spread: readonly [number, number];
}

interface Round {
  readonly seconds: number;
  readonly checkerSeconds: number;
  readonly cycles: number;
  readonly events: number;
  readonly historyEvents: number;
  readonly virtualSeconds: number;
}

async function timeRound({ scenario }: SimulatedWorkload, seed: number): Promise<Round> {
  const start = performance.now();
  const run = new SimulatedRun(scenario, { seed });
  const history = await run.run();
  const ran = performance.now();
  const verdicts = checkHistory(history);
  const end = performance.now();
  const broken = verdicts.find(({ status }) => status === 'violated');
  if (broken !== undefined) throw new Error(`${broken.property} is violated: a wrong simulation has no speed`);
  let cycles = 0;
  for (let index = 0; index < history.length; index += 1) {
    if (history.at(index).type === 'release-done') cycles += 1;
  }
  return {
    seconds: (end - start) / 1000,
    checkerSeconds: (end - ran) / 1000,
    cycles,
    events: run.eventCount,
    historyEvents: history.length,
    virtualSeconds: history.at(history.length - 1).timeUs / 1_000_000,
  };
}

async function measure(workload: SimulatedWorkload, rounds: number): Promise<Figures> {
  await timeRound(workload, 0);
  const measured: Round[] = [];
  for (let seed = 1; seed <= rounds; seed += 1) measured.push(await timeRound(workload, seed));
  const per = (amount: (round: Round) => number): number =>
    median(measured.map((round) => amount(round) / round.seconds));
  const cycles = measured.map((round) => round.cycles / round.seconds);
  return {
    workload: workload.title,
    lockCyclesPerSecond: median(cycles),
    eventsPerSecond: per(({ events }) => events),
    historyEventsPerSecond: per(({ historyEvents }) => historyEvents),
    virtualSecondsPerSecond: per(({ virtualSeconds }) => virtualSeconds),
    checkersShare: per(({ checkerSeconds }) => checkerSeconds),
    spread: [Math.min(...cycles), Math.max(...cycles)],
  };
}

function print(figures: readonly Figures[]): void {
  const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
  for (const one of figures) {
    console.log(one.workload);
    console.log(`  simulated events   ${whole(one.eventsPerSecond).padStart(12)} a second`);
    console.log(
      `  lock cycles        ${whole(one.lockCyclesPerSecond).padStart(12)} a second (${whole(one.spread[0])} to ${whole(one.spread[1])})`,
    );
    console.log(`  history events     ${whole(one.historyEventsPerSecond).padStart(12)} a second`);
    console.log(`  virtual seconds    ${whole(one.virtualSecondsPerSecond).padStart(12)} a second`);
    console.log(`  checkers           ${(one.checkersShare * 100).toFixed(1).padStart(12)} % of the time`);
  }
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    plot: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(HELP);
} else {
  const rounds = values.quick ? 2 : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError('--rounds must be a whole number from 1');
  const scale = values.quick ? 0.05 : 1;
  const workloads = [distinctResources(5000 * scale), contention(1000 * scale)];
  const figures: Figures[] = [];
  for (const workload of workloads) figures.push(await measure(workload, rounds));
  if (values.json)
    console.log(JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, rounds, figures }, null, 2));
  else print(figures);
  if (values.plot !== undefined) {
    const others = JSON.parse(readFileSync(OTHERS, 'utf8')) as { name: string; lockCyclesPerSecond: number }[];
    const own = { name: 'distrilock', lockCyclesPerSecond: (figures[0] as Figures).lockCyclesPerSecond };
    const bars = [own, ...others].map(({ name, lockCyclesPerSecond }) => ({ label: name, value: lockCyclesPerSecond }));
    writeFileSync(
      values.plot,
      barChart('Lock cycles a second: 5 nodes, 8 clients, distinct resources, 20 messages a cycle', bars),
    );
  }
}
