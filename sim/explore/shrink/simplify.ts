import type { Fault } from '../../scenario/fault-schema.ts';
import type { LockStep, Scenario, Script, Step, UsingStep } from '../../scenario/schema.ts';
import { lockOfStep } from '../../workload/facts.ts';
import type { Trial } from '../arbitraries/scenario.ts';
import { simplerFaults } from './simplify-fault.ts';
import { omitting, replaced, rounder, simplerMoments, without } from './simplify-parts.ts';
import { withTurns } from './sturdier.ts';

const FIRST_SEED = 1;
const CLIENT_DEFAULTS = { clock: 'monotonic', wallOffset: 0, rate: 1 } as const;
const NETWORK_DEFAULTS = { latency: { minMs: 0.2, maxMs: 1 } } as const;
/** As many as a lesson needs: with fewer, no node may fail. */
const USUAL_NODES = 3;
const USUAL_RESOURCE = 'r';
/** Whoever reads a lesson expects two that want one lock, not one that wants it twice. */
const LEAST_CLIENTS = 2;

/** Trials that are each a little simpler than this one, those first that leave out most. */
export function* simplerTrials(trial: Trial): Generator<Trial> {
  if (trial.seed !== FIRST_SEED) yield { ...trial, seed: FIRST_SEED };
  for (const scenario of simplerScenarios(trial.scenario)) yield { ...trial, scenario };
}

function* simplerScenarios(scenario: Scenario): Generator<Scenario> {
  yield* withFewerParts(scenario);
  yield* withUsualNodes(scenario);
  yield* withOneResource(scenario);
  yield* withPlainerSettings(scenario);
  for (const [index, script] of scenario.workload.entries()) {
    for (const simpler of simplerScripts(script))
      yield withWorkload(scenario, replaced(scenario.workload, index, simpler));
  }
  const world = { clients: Object.keys(scenario.clients), nodes: scenario.settings.nodes };
  for (const [index, fault] of scenario.faults.entries()) {
    for (const simpler of simplerFaults(fault, world))
      yield withFaults(scenario, replaced(scenario.faults, index, simpler));
  }
}

function* withFewerParts(scenario: Scenario): Generator<Scenario> {
  const { faults, workload } = scenario;
  for (const index of faults.keys()) yield withFaults(scenario, without(faults, index));
  const fewerScripts = [...workload.keys()]
    .map((index) => without(workload, index))
    .filter((fewer) => new Set(fewer.map(({ clients }) => clients)).size >= LEAST_CLIENTS);
  for (const fewer of fewerScripts) yield withWorkload(scenario, fewer);
  // Whoever is left out may have seen to it that one came after the other.
  for (const fewer of fewerScripts) for (const turns of withTurns(fewer)) yield withWorkload(scenario, turns);
  yield* withoutIdleClients(scenario);
}

/** A scenario knows a replica, or what its nodes write to disk, only for the sake of faults. */
function withFaults(scenario: Scenario, faults: Fault[]): Scenario {
  const promotes = faults.some(({ fault }) => fault === 'promotion');
  return { ...scenario, faults, nodes: { ...scenario.nodes, replica: promotes } };
}

function withWorkload(scenario: Scenario, workload: Script[]): Scenario {
  return { ...scenario, workload };
}

/** Leaves out clients that nothing speaks of. */
function* withoutIdleClients(scenario: Scenario): Generator<Scenario> {
  const names = Object.keys(scenario.clients);
  const text = JSON.stringify([scenario.workload, scenario.faults]);
  const busy = names.filter((name) => text.includes(JSON.stringify(name)));
  if (busy.length === names.length || busy.length === 0) return;
  const clients = Object.fromEntries(Object.entries(scenario.clients).filter(([name]) => busy.includes(name)));
  yield { ...scenario, clients };
}

/** Nodes that are no more there go from lists of nodes; a fault that is left without any cannot be. */
function* withUsualNodes(scenario: Scenario): Generator<Scenario> {
  if (scenario.settings.nodes === USUAL_NODES) return;
  const faults = scenario.faults.map((fault) => onFewerNodes(fault, USUAL_NODES));
  if (faults.includes(null)) return;
  yield withFaults({ ...scenario, settings: { ...scenario.settings, nodes: USUAL_NODES } }, faults as Fault[]);
}

function onFewerNodes(fault: Fault, nodes: number): Fault | null {
  const { after } = fault;
  if (after?.node !== undefined && !isThere(after.node, nodes)) return null;
  if (!('nodes' in fault)) return fault;
  const target = fault.nodes;
  if (Array.isArray(target)) {
    const left = target.filter((name) => isThere(name, nodes));
    return left.length === 0 ? null : { ...fault, nodes: left };
  }
  if (typeof target === 'object')
    return { ...fault, nodes: { ...target, count: Math.min(target.count ?? nodes, nodes) } };
  return isThere(target, nodes) ? fault : null;
}

function isThere(node: string, nodes: number): boolean {
  const number = /^n(\d+)$/.exec(node)?.[1];
  return number === undefined || Number(number) <= nodes;
}

/** All scripts at once: what breaks takes two that want the same lock. */
function* withOneResource(scenario: Scenario): Generator<Scenario> {
  const workload = scenario.workload.map((script) => ({ ...script, steps: script.steps.map(onOneResource) }));
  if (JSON.stringify(workload) !== JSON.stringify(scenario.workload)) yield withWorkload(scenario, workload);
}

function onOneResource(step: Step): Step {
  if (typeof step === 'string') return step;
  if ('acquire' in step) return { acquire: { ...step.acquire, resource: USUAL_RESOURCE } };
  return 'using' in step ? { using: { ...step.using, resource: USUAL_RESOURCE } } : step;
}

function* withPlainerSettings(scenario: Scenario): Generator<Scenario> {
  const { settings, nodes, network, clients } = scenario;
  const optional = [
    'clockDriftFactor',
    'nodeTimeout',
    'restartGuard',
    'retryCount',
    'retryDelay',
    'retryJitter',
    'backoff',
    'deadline',
    'extensionLimit',
  ] as const;
  for (const name of optional) {
    if (settings[name] === undefined) continue;
    yield { ...scenario, settings: omitting(settings, name) };
  }
  if (settings.fencing) yield { ...scenario, settings: { ...settings, fencing: false } };
  if (nodes.maxmemoryPolicy !== 'noeviction' && !scenario.faults.some(({ fault }) => fault === 'eviction')) {
    yield { ...scenario, nodes: { ...nodes, maxmemoryPolicy: 'noeviction' } };
  }
  // Nodes that keep nothing on disk die in one way only.
  if (nodes.persistence !== 'none') {
    const faults = scenario.faults.map((fault) =>
      fault.fault === 'crash' ? { ...fault, how: 'kill' as const } : fault,
    );
    yield { ...scenario, faults, nodes: { ...nodes, persistence: 'none' } };
  }
  // Real servers have the latency that they have: what needs another cannot be confirmed there.
  if (JSON.stringify(network) !== JSON.stringify(NETWORK_DEFAULTS)) yield { ...scenario, network: NETWORK_DEFAULTS };
  for (const [name, client] of Object.entries(clients)) {
    if (JSON.stringify(client) !== JSON.stringify(CLIENT_DEFAULTS)) {
      yield { ...scenario, clients: { ...clients, [name]: { ...CLIENT_DEFAULTS } } };
    }
    if (client.wallOffset !== 0) yield { ...scenario, clients: { ...clients, [name]: { ...client, wallOffset: 0 } } };
  }
}

function* simplerScripts(script: Script): Generator<Script> {
  if (script.repeat > 1) yield { ...script, repeat: 1 };
  for (const index of script.steps.keys()) {
    const steps = without(script.steps, index);
    if (isSensible(steps)) yield { ...script, steps };
  }
  for (const [index, step] of script.steps.entries()) {
    if (typeof step === 'object' && 'using' in step)
      yield { ...script, steps: spelledOut(script.steps, index, step.using) };
  }
  for (const [index, step] of script.steps.entries()) {
    for (const simpler of simplerSteps(step)) yield { ...script, steps: replaced(script.steps, index, simpler) };
  }
  const { at, after, ...others } = script;
  for (const moment of simplerMoments({ at, after })) yield { ...others, ...moment };
}

/** A lock is taken, and nothing comes before the lock that it needs. */
function isSensible(steps: readonly Step[]): boolean {
  let isKnown = false;
  for (const step of steps) {
    if (typeof step === 'object' && 'acquire' in step) isKnown = true;
    else if (!isKnown && (typeof step === 'string' || 'extend' in step || 'work' in step)) return false;
  }
  return steps.some((step) => lockOfStep(step) !== null);
}

/** What using does, as far as nothing goes wrong, by steps that each do one thing. */
function spelledOut(steps: readonly Step[], index: number, using: UsingStep): Step[] {
  const { work, ...lock } = using;
  const inFull: Step[] = [{ acquire: omitting(lock, 'extensionLimit') }, { work }, 'release'];
  return [...steps.slice(0, index), ...inFull, ...steps.slice(index + 1)];
}

const LOCK_OPTIONS = ['ttl', 'giveUpAfter', 'deadline', 'retryCount', 'retryDelay', 'retryJitter'] as const;

function* simplerLocks<Lock extends LockStep>(lock: Lock): Generator<Lock> {
  const { resource } = lock;
  if (typeof resource === 'object') for (const name of resource) yield { ...lock, resource: name };
  for (const name of LOCK_OPTIONS) if (lock[name] !== undefined) yield omitting(lock, name) as unknown as Lock;
}

function* simplerSteps(step: Step): Generator<Step> {
  if (typeof step === 'string') return;
  if ('acquire' in step) {
    for (const acquire of simplerLocks(step.acquire)) yield { acquire };
  } else if ('using' in step) {
    const { using } = step;
    for (const simpler of simplerLocks(using)) yield { using: simpler };
    if (using.extensionLimit !== undefined) yield { using: omitting(using, 'extensionLimit') };
    for (const ms of rounder(using.work.maxMs)) yield { using: { ...using, work: { minMs: ms, maxMs: ms } } };
  } else if ('extend' in step) {
    if (step.beside !== undefined) yield { extend: step.extend };
    for (const extend of rounder(step.extend)) yield { ...step, extend };
  } else if ('close' in step) {
    for (const close of rounder(step.close)) yield { close };
  } else if ('work' in step) {
    for (const ms of rounder(step.work.maxMs)) yield { work: { minMs: ms, maxMs: ms } };
  } else {
    for (const ms of rounder(step.rest.maxMs)) yield { rest: { minMs: ms, maxMs: ms } };
  }
}
