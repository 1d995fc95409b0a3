import { describeFault } from '../faults/description.ts';
import type { Moment } from '../faults/moments.ts';
import type { ClientTarget, NodeTarget } from '../faults/targets.ts';
import type { Occurrence } from './moment.ts';
import type { LockStep, Scenario, Script, Step } from './schema.ts';
import type { Fault } from './fault-schema.ts';
import { formatMs, formatRange } from '../text/duration-text.ts';
import { patternText } from '../text/pattern-text.ts';

const LIBRARY_DEFAULT = 'as the library has it';

/** How the library, the clients, the nodes and the network of a scenario are set: name and value of each setting. */
export function settingsText({ settings, clients, nodes, network, limit }: Scenario): [string, string][] {
  const orDefault = <Value>(value: Value | undefined, format: (value: Value) => string): string =>
    value === undefined ? LIBRARY_DEFAULT : format(value);
  return [
    ['nodes', `${settings.nodes}`],
    ['ttl', formatMs(settings.ttl)],
    ['retryCount', orDefault(settings.retryCount, (count) => (count < 0 ? 'without limit' : `${count}`))],
    ['retryDelay', orDefault(settings.retryDelay, formatMs)],
    ['retryJitter', orDefault(settings.retryJitter, formatMs)],
    ...(settings.backoff === undefined ? [] : [backoffText(settings.backoff)]),
    ...(settings.deadline === undefined ? [] : [pair('deadline', formatMs(settings.deadline))]),
    ...(settings.extensionLimit === undefined ? [] : [pair('extensionLimit', `${settings.extensionLimit}`)]),
    ['clockDriftFactor', orDefault(settings.clockDriftFactor, String)],
    ['nodeTimeout', orDefault(settings.nodeTimeout, formatMs)],
    ['fencing', settings.fencing ? 'yes' : 'no'],
    ['restartGuard', settings.restartGuard === undefined ? 'no' : formatMs(settings.restartGuard)],
    ['clients', Object.entries(clients).map(clientText).join(', ')],
    ['persistence', nodes.persistence],
    ['maxmemoryPolicy', nodes.maxmemoryPolicy],
    ['replica', nodes.replica ? 'one for each node' : 'none'],
    ['network', `${formatRange(network.latency)} one way`],
    ['limit', formatMs(limit)],
  ];
}

function pair(name: string, value: string): [string, string] {
  return [name, value];
}

function backoffText({ base, factor, cap }: NonNullable<Scenario['settings']['backoff']>): [string, string] {
  const parts = [
    ...(base === undefined ? [] : [`from ${formatMs(base)}`]),
    ...(factor === undefined ? [] : [`times ${factor}`]),
    ...(cap === undefined ? [] : [`up to ${formatMs(cap)}`]),
  ];
  return ['backoff', parts.length === 0 ? LIBRARY_DEFAULT : parts.join(', ')];
}

function clientText([name, { clock, wallOffset, rate }]: [string, Scenario['clients'][string]]): string {
  const peculiarities = [
    ...(clock === 'wall' ? ['reads its wall clock'] : []),
    ...(wallOffset === 0 ? [] : [`wall clock off by ${formatMs(wallOffset)}`]),
    ...(rate === 1 ? [] : [`clocks run at ${rate} times the true rate`]),
  ];
  return peculiarities.length === 0 ? name : `${name} (${peculiarities.join('; ')})`;
}

/** What some clients do: when, who, and the steps. */
export function scriptText(script: Script): string {
  const times = script.repeat === 1 ? '' : `, ${script.repeat} times`;
  return `${momentText(script)}: ${clientsText(script.clients)}${times}: ${script.steps.map(stepText).join(', ')}`;
}

function stepText(step: Step): string {
  if (typeof step === 'string') return step;
  if ('work' in step) return `work ${formatRange(step.work)}`;
  if ('rest' in step) return `rest ${formatRange(step.rest)}`;
  if ('close' in step) return `close the Redlock ${formatMs(step.close)} later`;
  if ('extend' in step) return `extend by ${formatMs(step.extend)}${step.beside === true ? ' without waiting' : ''}`;
  if ('acquire' in step) return `acquire ${lockText(step.acquire)}`;
  return `work ${formatRange(step.using.work)} using ${lockText(step.using)}`;
}

function lockText({ resource, ttl, deadline, giveUpAfter }: LockStep): string {
  const names = [resource].flat().map((name) => JSON.stringify(name));
  const life = ttl === undefined ? '' : ` for ${formatMs(ttl)}`;
  const wait = deadline === undefined ? '' : ` within ${formatMs(deadline)}`;
  const patience = giveUpAfter === undefined ? '' : `, give up after ${formatMs(giveUpAfter)}`;
  return `${names.join(' and ')}${life}${wait}${patience}`;
}

/** The faults in the order in which they come: those with a time first, then those that wait for an event. */
export function timelineText(faults: readonly Fault[]): string[] {
  const startMs = ({ at, after }: Fault): number => (after === undefined ? (at ?? 0) : Number.POSITIVE_INFINITY);
  return [...faults]
    .sort((one, other) => (startMs(one) === startMs(other) ? 0 : startMs(one) - startMs(other)))
    .map((fault) => `${momentText(fault)}: ${faultText(fault)}`);
}

function faultText(fault: Fault): string {
  const clients = 'clients' in fault ? [clientsText(fault.clients)] : [];
  const nodes = 'nodes' in fault ? [nodesText(fault.nodes)] : [];
  const duration = 'for' in fault && fault.for !== undefined ? `, for ${formatMs(fault.for)}` : '';
  return `${describeFault(fault, clients, nodes)}${duration}`;
}

function momentText({ at, after }: Moment): string {
  if (after === undefined) return at === undefined || at === 0 ? 'at the start' : `at ${formatMs(at)}`;
  const { nth, delay, ...pattern } = after;
  const later = delay === undefined || delay === 0 ? '' : `${formatMs(delay)} `;
  const which = nth === undefined || nth === 1 ? 'the first' : `number ${nth} of the events`;
  return `${later}after ${which} ${patternText(pattern)}`;
}

/** What must have happened for the verdict to count. */
export function occurrenceText({ atLeast, atMost, ...pattern }: Occurrence): string {
  const text = patternText(pattern);
  if (atMost === undefined) return `${text}: at least ${atLeast ?? 1}`;
  if (atMost === 0) return `${text}: never`;
  return atLeast === undefined ? `${text}: at most ${atMost}` : `${text}: from ${atLeast} to ${atMost}`;
}

function clientsText(target: ClientTarget): string {
  if (typeof target !== 'string') return target.join(', ');
  if (target === 'all') return 'all clients';
  return target === 'holder' ? 'the holder' : target;
}

function nodesText(target: NodeTarget): string {
  if (Array.isArray(target)) return target.join(', ');
  if (typeof target === 'object') {
    const { heldBy, count } = target;
    return `${count === undefined ? 'the nodes' : `${count} of the nodes`} that hold the lock of ${heldBy}`;
  }
  switch (target) {
    case 'all':
      return 'all nodes';
    case 'minority':
      return 'a minority of the nodes';
    case 'majority':
      return 'a majority of the nodes';
    case 'held':
      return 'the nodes that hold the newest lock';
    case 'resource':
      return 'the protected resource';
    default:
      return target;
  }
}
