import { type Aim, AIMS } from './aims.ts';
import type { Column } from './columns.ts';
import type { Contender } from './contender.ts';
import { ratioOf, ratioText, roundsOf, shareOfHealthy, speedOf } from './figures.ts';
import type { LockResults } from './results.ts';
import { median, summarize, type Summary } from './statistics.ts';

/** Below this load average a machine counts as quiet. */
const QUIET_LOAD = 0.5;
const BUSY_MACHINE =
  'Other work ran on the machine meanwhile: cycles a second are a fraction of what they are on a quiet one, small gaps mean nothing, and columns, which were measured at different moments, do not compare with each other.';

/** What everything is compared with. */
const FLOOR = 'floor';

/** The name of a contender, with its version where it is a package of somebody else. */
export function titleOf({ id, title, kind }: Contender, { versions }: LockResults): string {
  return kind === 'peer' ? `${title} ${versions[id] ?? ''}` : title;
}

/** The whole of a run as Markdown. */
export function report(results: LockResults, contenders: readonly Contender[]): string {
  const measured = new Set(
    [...results.speed.flatMap(({ outcomes }) => outcomes), ...results.cost].map((each) => each.contender),
  );
  const rows = contenders.filter(({ id }) => measured.has(id));
  const plain = rows.filter(({ kind }) => kind !== 'option');
  const ofDistrilock = rows.filter(({ kind }) => kind === 'own' || kind === 'option');
  const columns = results.speed.map(({ column }) => column);
  const troubled = columns.filter(({ condition }) => condition !== 'healthy');
  return [
    '# How fast locks are taken and given back',
    `\`npm run bench:lock\`, ${results.date}, on ${results.machine}. Redis ${results.versions['redis'] ?? ''}, Node ${results.versions['node'] ?? ''}, ioredis ${results.versions['ioredis'] ?? ''}. ` +
      `${results.rounds} rounds of ${results.roundMs} ms of each contender in each column, all in one random order (seed ${results.seed}); ` +
      `${results.pinned ? 'the client has one core, all servers share another' : 'clients and servers share the cores'}. The load average before the run was ${results.loadBefore.toFixed(2)}.`,
    results.loadBefore < QUIET_LOAD ? '' : BUSY_MACHINE,
    'A cycle is one acquire and one release of a resource that nobody else wants. Figures are medians over the rounds; behind ± stands half of what the middle half of the rounds takes.',
    section(
      'Share of the raw commands',
      'Cycles a second, divided by those of bare `SET NX PX` and `EVALSHA` that go on at the answers of a quorum, in the same round.',
      table(results, plain, columns, (contender, id) => shareText(ratioOf(results, id, contender, FLOOR))),
    ),
    section(
      'Cycles a second',
      '',
      table(results, plain, columns, (contender, id) => speedText(speedOf(results, id, contender))),
    ),
    section(
      'With a node in trouble',
      'Cycles a second / processor time of the client for a cycle, each divided by that of the same contender on five healthy nodes, in the same round: 1 is no slowdown.',
      table(results, rows, troubled, (contender, id) => healthText(results, id, contender)),
    ),
    section(
      'Processor time',
      'Microseconds a cycle, user and system: of the client with all its threads / of all servers together. Less than the cycles a second, it depends on what else the machine does.',
      table(results, rows, columns, (contender, id) => cpuText(results, id, contender)),
    ),
    section(
      'Fencing tokens and restart guard',
      'Cycles a second, divided by those of distrilock without, in the same round.',
      table(results, ofDistrilock, columns, (contender, id) =>
        shareText(ratioOf(results, id, contender, 'distrilock')),
      ),
    ),
    costSection(results, rows),
    aimsSection(results),
    failuresSection(results, rows),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

function section(title: string, text: string, body: string): string {
  if (body === '') return '';
  return [`## ${title}`, text, body].filter((part) => part !== '').join('\n\n');
}

function table(
  results: LockResults,
  rows: readonly Contender[],
  columns: readonly Column[],
  cell: (contender: string, columnId: string) => string,
): string {
  if (rows.length === 0 || columns.length === 0) return '';
  return markdownTable(
    ['', ...columns.map(({ title }) => title)],
    rows.map((row) => [titleOf(row, results), ...columns.map(({ id }) => cell(row.id, id))]),
  );
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

const NONE = 'none finish';

function shareText(share: Summary | null): string {
  return share === null ? NONE : ratioText(share);
}

function healthText(results: LockResults, columnId: string, contender: string): string {
  const [speed, cpu] = (['cyclesPerSecond', 'cpuUsPerCycle'] as const).map((figure) =>
    shareOfHealthy(results, columnId, contender, figure),
  );
  return speed && cpu ? `${ratioText(speed)} / ${ratioText(cpu)}` : NONE;
}

function speedText(speed: Summary | null): string {
  return speed === null
    ? NONE
    : `${Math.round(speed.median).toLocaleString('en-US')} ± ${Math.round(speed.interquartileRange / 2).toLocaleString('en-US')}`;
}

function cpuText(results: LockResults, columnId: string, contender: string): string {
  const rounds = roundsOf(results, columnId, contender);
  if (rounds.length === 0) return NONE;
  const [client, servers] = (['cpuUsPerCycle', 'serverCpuUsPerCycle'] as const).map((name) =>
    median(rounds.map((round) => round[name])).toFixed(0),
  );
  return `${client} / ${servers}`;
}

function costSection(results: LockResults, rows: readonly Contender[]): string {
  if (results.cost.length === 0) return '';
  const cells = rows.flatMap((row) => {
    const cost = results.cost.find(({ contender }) => contender === row.id);
    if (cost === undefined) return [];
    const heap = summarize(cost.heapBytesPerCycle.map((bytes) => bytes / 1024));
    return [
      [
        titleOf(row, results),
        `${heap.median.toFixed(1)} ± ${(heap.interquartileRange / 2).toFixed(1)}`,
        cost.callsPerCycleAndNode.toFixed(2),
      ],
    ];
  });
  return section(
    'What a cycle allocates and sends',
    'Five nodes, sequential. KiB by which the heap grows over 400 cycles, a cycle, with a young generation so large that nothing is collected meanwhile (checked), ioredis included; and the calls that each node gets, each a round trip.',
    markdownTable(['', 'heap a cycle, KiB', 'calls a cycle and node'], cells),
  );
}

function aimsSection(results: LockResults): string {
  const cells = AIMS.flatMap((aim: Aim) => {
    const found = aim.measure(results);
    return found === null ? [] : [[aim.title, found.text, found.reached ? 'yes' : '**no**']];
  });
  return cells.length === 0 ? '' : section('Aims', '', markdownTable(['aim', 'measured', 'reached'], cells));
}

function failuresSection(results: LockResults, rows: readonly Contender[]): string {
  const lines = results.speed.flatMap(({ column, outcomes }) =>
    outcomes
      .filter(({ failures }) => failures > 0)
      .map(({ contender, failures, firstFailure }) => {
        const row = rows.find(({ id }) => id === contender);
        return `- ${column.title}, ${row === undefined ? contender : titleOf(row, results)}: ${failures}, the first: ${firstFailure?.split('\n')[0] ?? ''}`;
      }),
  );
  return lines.length === 0 ? '' : section('Cycles that failed, and do not count', '', lines.join('\n'));
}
