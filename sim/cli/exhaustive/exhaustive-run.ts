import {
  type ExhaustiveResult,
  type ExhaustiveVerdict,
  exploreWorld,
  type Replay,
  replayTrail,
  type SearchCounts,
} from '../../exhaustive/explore-world.ts';
import { WorldTooLargeError } from '../../exhaustive/interner.ts';
import { ALL_REDUCTIONS, LIMITS, type Reductions, type WorldSettings } from '../../exhaustive/settings.ts';
import { parseStep } from '../../exhaustive/steps.ts';
import { type Colors, colorsFor } from '../console/colors.ts';
import type { ExhaustiveCommandOptions } from './exhaustive-command.ts';
import { EXIT } from '../console/exit-codes.ts';
import { type Host, UsageError } from '../console/host.ts';
import { interruptedBy } from '../console/interruption.ts';
import { renderLines } from '../console/lines.ts';
import { ProgressLine } from '../console/progress-line.ts';
import { shellQuote } from '../../text/shell-quote.ts';

const NO_REDUCTIONS: Reductions = { merging: false, symmetry: false, partialOrder: false, traced: false };

/** By the setting of a world, the option that sets it. */
const OPTION_OF: Readonly<Record<keyof typeof LIMITS, string>> = {
  nodes: '--nodes',
  clients: '--clients',
  cycles: '--cycles',
  retries: '--retries',
  extensions: '--extensions',
  ttlTicks: '--ttl',
  timeoutTicks: '--node-timeout',
  ticks: '--ticks',
  crashes: '--crashes',
  pauses: '--pauses',
  clockJumps: '--clock-jumps',
  jumpTicks: '--jump',
  evictions: '--evictions',
};

const STATUS_WORDS: Readonly<Record<ExhaustiveVerdict['status'], string>> = {
  ok: 'holds in every state',
  violated: 'violated',
  unknown: 'not judged',
};

/** Explores the small world that the options describe, or replays steps in it, and prints what comes of it. Resolves to the exit code. */
export async function runExhaustive(options: ExhaustiveCommandOptions, host: Host): Promise<number> {
  const world = worldOf(options);
  const colors = colorsFor(host.stdout, host.environment);
  if (options.replay !== undefined) {
    const replay = await replayTrail(world, stepsOf(options.replay));
    host.stdout.write(options.json === true ? `${JSON.stringify(replay, null, 2)}\n` : replayText(replay, colors));
    if (replay.impossible.length > 0) return EXIT.badInput;
    return replay.findings.length > 0 ? EXIT.notAsExpected : EXIT.asExpected;
  }
  const line = new ProgressLine(host.stderr);
  const startMs = performance.now();
  const secondsSoFar = (): number => (performance.now() - startMs) / 1000;
  const result = await exploreWorld({
    world,
    bounds: {
      maxStates: options.maxStates,
      depth: options.depth ?? Number.POSITIVE_INFINITY,
      keepGoing: options.keepGoing === true,
    },
    reductions: options.reductions ? ALL_REDUCTIONS : NO_REDUCTIONS,
    signal: host.signal,
    onProgress: (counts) => line.show(`${countsText(counts, secondsSoFar())}, ${counts.depth} steps deep`),
  })
    .catch((error: unknown) => {
      throw error instanceof WorldTooLargeError ? new UsageError(error.message) : error;
    })
    .finally(() => line.clear());
  const seconds = secondsSoFar();
  if (options.json === true) {
    const replay = result.verdicts.map((verdict) => replayCommand(verdict, world));
    const verdicts = result.verdicts.map((verdict, place) =>
      replay[place] === null ? verdict : { ...verdict, replay: replay[place] },
    );
    host.stdout.write(`${JSON.stringify({ world, ...result, verdicts, seconds }, null, 2)}\n`);
  } else host.stdout.write(resultText(result, world, seconds, colors));
  return exitCodeOf(result, host.signal);
}

function exitCodeOf({ ending, missing, verdicts }: ExhaustiveResult, signal: AbortSignal): number {
  if (verdicts.some(({ status }) => status === 'violated')) return EXIT.notAsExpected;
  if (ending === 'interrupted') return EXIT[interruptedBy(signal)];
  return ending === 'exhausted' && missing.length === 0 ? EXIT.asExpected : EXIT.unknown;
}

function worldOf(options: ExhaustiveCommandOptions): WorldSettings {
  const isTimed =
    options.pauses > 0 || options.clockJumps > 0 || (options.crashes > 0 && options.restart === 'delayed');
  const { nodes, clients, cycles, retries, extensions, crashes, restart, pauses, clockJumps, evictions } = options;
  const world: WorldSettings = {
    ...{ nodes, clients, cycles, retries, extensions, crashes, restart, pauses, clockJumps, evictions },
    fencing: options.fencing === true,
    ttlTicks: options.ttl,
    timeoutTicks: options.nodeTimeout,
    ticks: options.ticks ?? (isTimed ? options.ttl + 1 : 0),
    jumpTicks: options.jump,
  };
  for (const [name, [least, most]] of Object.entries(LIMITS)) {
    const value = world[name as keyof typeof LIMITS];
    if (value >= least && value <= most) continue;
    const option = OPTION_OF[name as keyof typeof LIMITS];
    throw new UsageError(
      `${option} must be from ${least} to ${most}, not ${value}: every interleaving is tried, so keep the world small.`,
    );
  }
  return world;
}

function stepsOf(text: string): number[] {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => {
      const step = parseStep(word);
      if (step !== null) return step;
      throw new UsageError(
        `--replay has ${JSON.stringify(word)}, which is no step: steps are written like acquire:A run:A@n1 tell:A@n1 timer:A#1 tick crash:n1, as a violation prints them.`,
      );
    });
}

function countsText({ states, transitions }: SearchCounts, seconds: number): string {
  const perSecond = Math.round(states / Math.max(seconds, 0.001));
  return `${grouped(states)} unique states by ${grouped(transitions)} steps, ${grouped(perSecond)} states/s`;
}

function grouped(number: number): string {
  return number.toLocaleString('en-US');
}

function resultText(result: ExhaustiveResult, world: WorldSettings, seconds: number, colors: Colors): string {
  const rows = result.verdicts.map((verdict) => [
    verdict.property,
    verdict.status === 'ok'
      ? colors.green(STATUS_WORDS.ok)
      : verdict.status === 'violated'
        ? colors.red(STATUS_WORDS.violated)
        : colors.yellow(`${STATUS_WORDS.unknown}: ${verdict.reason}`),
  ]);
  const sections = [
    `${endingText(result, colors)}\n`,
    `${countsText(result, seconds)}, ${result.depth} steps deep, in ${seconds.toFixed(2)} s\n`,
    `The library was told ${grouped(result.libraryInputs)} things, which brought clients into ${grouped(result.clientStates)} states.\n\n`,
    ...renderLines(rows)
      .flat()
      .map((text) => `${text}\n`),
    ...result.verdicts.flatMap((verdict) =>
      verdict.status === 'violated'
        ? [
            `\n${colors.bold(verdict.property)}\n`,
            ...verdict.counterexample.story.map((text) => `  ${text}\n`),
            `  ${colors.red(verdict.counterexample.finding)}\n`,
            `This does it again:\n  ${replayCommand(verdict, world) ?? ''}\n`,
          ]
        : [],
    ),
  ];
  return sections.join('');
}

function endingText({ ending, missing }: ExhaustiveResult, colors: Colors): string {
  switch (ending) {
    case 'exhausted':
      if (missing.length > 0) {
        return colors.yellow(
          'Every state was visited, but NOT everything that was asked for could happen. Nothing is proven.',
        );
      }
      return colors.green('Every state was visited.');
    case 'violated':
      return colors.red('A property is violated.');
    case 'cut by max-states':
      return colors.yellow('NOT every state was visited: --max-states cut the search off. Nothing is proven.');
    case 'cut by depth':
      return colors.yellow(
        'NOT every state was visited: --depth cut the search off. What holds, holds up to that depth only.',
      );
    case 'interrupted':
      return colors.yellow('NOT every state was visited: the search was interrupted. Nothing is proven.');
  }
}

function replayText({ story, impossible, findings }: Replay, colors: Colors): string {
  const lines = [
    ...story,
    ...impossible.map((step) => colors.yellow(`${step} is not possible when its turn comes, in this world`)),
    ...findings.map(({ property, finding }) => `${colors.red(`${property} is violated`)}: ${finding}`),
  ];
  if (findings.length === 0) lines.push('Nothing is violated.');
  return `${lines.join('\n')}\n`;
}

/** The command that does the steps of a violation again; null where there is none. */
function replayCommand(verdict: ExhaustiveVerdict, world: WorldSettings): string | null {
  if (verdict.status !== 'violated') return null;
  const numbers = Object.entries(OPTION_OF).flatMap(([name, option]) => [
    option,
    String(world[name as keyof typeof LIMITS]),
  ]);
  const words = ['exhaustive', ...numbers, '--restart', world.restart, ...(world.fencing ? ['--fencing'] : [])];
  return ['npx distrilock', ...[...words, '--replay', verdict.counterexample.steps.join(' ')].map(shellQuote)].join(
    ' ',
  );
}
