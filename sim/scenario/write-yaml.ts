import { type Document, isMap, isSeq, parseDocument, stringify, visit } from 'yaml';
import type { DurationRange } from './duration.ts';
import type { Fault } from './fault-schema.ts';
import type { LockStep, Scenario, Script, Step } from './schema.ts';

type Fields = Readonly<Record<string, unknown>>;

const LINE_WIDTH = 120;
const MS_PER_SECOND = 1000;
const US_PER_MS = 1000;

/** Fields of faults and moments that are durations in milliseconds. */
const DURATION_FIELDS: ReadonlySet<string> = new Set(['at', 'for', 'by', 'every', 'delay', 'lag']);

/** What the schema fills in where a file is silent, so that a file need not say it. */
const CLIENT_DEFAULTS: Fields = { clock: 'monotonic', wallOffset: 0, rate: 1 };
const NODE_DEFAULTS: Fields = { persistence: 'none', maxmemoryPolicy: 'noeviction', replica: false };
const FAULT_DEFAULTS: Fields = { direction: 'both', probability: 1, how: 'kill', lag: Number.POSITIVE_INFINITY };
const LIMIT_DEFAULT_MS = 60_000;
const LATENCY_DEFAULT: DurationRange = { minMs: 0.2, maxMs: 1 };

/** The text of a scenario file: read again, it gives the same scenario. What goes without saying is left out. */
export function scenarioYaml(scenario: Scenario): string {
  return laidOut(stringify(scenarioFields(scenario), { lineWidth: LINE_WIDTH, blockQuote: 'literal' }));
}

/** What stands in a scenario file, as data. */
export function scenarioFields(scenario: Scenario): Fields {
  const { network } = scenario;
  const isUsualLatency =
    network.latency.minMs === LATENCY_DEFAULT.minMs && network.latency.maxMs === LATENCY_DEFAULT.maxMs;
  return given({
    title: scenario.title,
    source: scenario.source,
    settings: settingsFields(scenario.settings),
    clients: Object.fromEntries(
      Object.entries(scenario.clients).map(([name, client]) => [
        name,
        orNull(unusual(client, CLIENT_DEFAULTS, { wallOffset: durationText })),
      ]),
    ),
    nodes: orUndefined(unusual(scenario.nodes, NODE_DEFAULTS, {})),
    network: isUsualLatency ? undefined : { latency: rangeText(network.latency) },
    faults: scenario.faults.length === 0 ? undefined : scenario.faults.map(faultFields),
    workload: scenario.workload.map(scriptFields),
    limit: scenario.limit === LIMIT_DEFAULT_MS ? undefined : durationText(scenario.limit),
    happened: scenario.happened.length === 0 ? undefined : scenario.happened.map((occurrence) => given(occurrence)),
    expect: scenario.expect,
    lesson: `${scenario.lesson.trimEnd()}\n`,
  });
}

function settingsFields(settings: Scenario['settings']): Fields {
  const { nodes, ttl, retryCount, retryDelay, retryJitter, backoff, deadline, extensionLimit } = settings;
  const { clockDriftFactor, nodeTimeout, restartGuard, fencing } = settings;
  return given({
    nodes,
    ttl: durationText(ttl),
    retryCount,
    retryDelay: optional(retryDelay, durationText),
    retryJitter: optional(retryJitter, durationText),
    backoff: optional(backoff, ({ base, factor, cap }) =>
      given({ base: optional(base, durationText), factor, cap: optional(cap, durationText) }),
    ),
    deadline: optional(deadline, durationText),
    extensionLimit,
    clockDriftFactor,
    nodeTimeout: optional(nodeTimeout, durationText),
    restartGuard: optional(restartGuard, durationText),
    fencing: fencing ? true : undefined,
  });
}

/** As people write scenarios: what is short on one line, and an empty line between the parts. */
function laidOut(text: string): string {
  const document: Document = parseDocument(text);
  visit(document, {
    Collection: (_key, node, path) => {
      // Parts, and lists of faults, scripts and steps, take lines of their own.
      const depth = path.length;
      const isList = isSeq(node);
      if (isMap(node) && depth > 2 && !node.has('steps') && !isLong(node)) node.flow = true;
      if (isList && isShortList(node)) node.flow = true;
      return undefined;
    },
  });
  if (isMap(document.contents)) {
    for (const [index, pair] of document.contents.items.entries()) {
      const { key } = pair as { key: { spaceBefore?: boolean } };
      if (index > 0) key.spaceBefore = true;
    }
  }
  return document.toString({ lineWidth: LINE_WIDTH, flowCollectionPadding: true, blockQuote: 'literal' });
}

function isLong(node: { toJSON(): unknown }): boolean {
  return JSON.stringify(node.toJSON()).length > LINE_WIDTH - 10;
}

/** A list of names. */
function isShortList(node: { toJSON(): unknown }): boolean {
  const items = node.toJSON() as readonly unknown[];
  return items.every((item) => typeof item === 'string') && !items.includes('release') && !items.includes('write');
}

function faultFields(fault: Fault): Fields {
  const { fault: kind, ...others } = fault as Fields & { fault: string };
  return given({ fault: kind, ...withDurations(unusual(others, FAULT_DEFAULTS, {})) });
}

function withDurations(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (name === 'after' && value !== undefined) return [name, given(withDurations(value as Fields))];
      if (!DURATION_FIELDS.has(name)) return [name, value];
      if (typeof value === 'number') return [name, durationText(value)];
      return [name, value === undefined ? undefined : rangeText(value as DurationRange)];
    }),
  );
}

function scriptFields({ clients, at, after, repeat, steps }: Script): Fields {
  return given({
    clients,
    ...withDurations({ at: at === 0 ? undefined : at, after }),
    repeat: repeat === 1 ? undefined : repeat,
    steps: steps.map(stepFields),
  });
}

function stepFields(step: Step): unknown {
  if (typeof step === 'string') return step;
  if ('work' in step) return { work: rangeText(step.work) };
  if ('rest' in step) return { rest: rangeText(step.rest) };
  if ('close' in step) return { close: durationText(step.close) };
  if ('extend' in step) return given({ extend: durationText(step.extend), beside: step.beside });
  if ('acquire' in step) return { acquire: lockFields(step.acquire) };
  const { extensionLimit, work } = step.using;
  return { using: given({ ...lockFields(step.using), extensionLimit, work: rangeText(work) }) };
}

function lockFields(lock: LockStep): Fields {
  const { resource, ttl, retryCount, retryDelay, retryJitter, deadline, giveUpAfter } = lock;
  return given({
    resource,
    ttl: optional(ttl, durationText),
    retryCount,
    retryDelay: optional(retryDelay, durationText),
    retryJitter: optional(retryJitter, durationText),
    deadline: optional(deadline, durationText),
    giveUpAfter: optional(giveUpAfter, durationText),
  });
}

/** The shortest that the loader reads as so many milliseconds. */
function durationText(milliseconds: number): string {
  const us = Math.round(milliseconds * US_PER_MS);
  if (us % US_PER_MS !== 0) return Math.abs(us) < US_PER_MS ? `${us}us` : `${us / US_PER_MS}ms`;
  const isTenthOfSecond = us % (US_PER_MS * MS_PER_SECOND * 0.1) === 0 && Math.abs(milliseconds) >= MS_PER_SECOND;
  return isTenthOfSecond ? `${milliseconds / MS_PER_SECOND}s` : `${us / US_PER_MS}ms`;
}

function rangeText({ minMs, maxMs }: DurationRange): string {
  return minMs === maxMs ? durationText(minMs) : `${durationText(minMs)}..${durationText(maxMs)}`;
}

function optional<Value, Text>(value: Value | undefined, format: (value: Value) => Text): Text | undefined {
  return value === undefined ? undefined : format(value);
}

/** The fields that have a value. */
function given(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The fields that differ from the defaults. */
function unusual(
  fields: Fields,
  defaults: Fields,
  formats: Readonly<Record<string, (value: number) => string>>,
): Fields {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([name, value]) => value !== undefined && value !== defaults[name])
      .map(([name, value]) => [name, typeof value === 'number' ? (formats[name]?.(value) ?? value) : value]),
  );
}

function orNull(fields: Fields): Fields | null {
  return Object.keys(fields).length === 0 ? null : fields;
}

function orUndefined(fields: Fields): Fields | undefined {
  return Object.keys(fields).length === 0 ? undefined : fields;
}
