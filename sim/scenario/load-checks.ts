import { RESERVED_SUFFIXES } from '../../src/options.ts';
import { quorumOf } from '../../src/quorum.ts';
import { driftAllowanceMs } from '../../src/validity.ts';
import { formatMs } from '../text/duration-text.ts';
import { clockDriftFactorOf } from './clock-drift.ts';
import type { Fault } from './fault-schema.ts';
import { impossibleFields } from './load-events.ts';
import { hint } from './load-hints.ts';
import type { PathStep } from './load-positions.ts';
import type { ObservablePattern } from './moment.ts';
import { nodeNames, RESOURCE } from './server-names.ts';
import type { LockStep, scenarioSchema } from './schema.ts';
import type { z } from 'zod';

type Parsed = z.output<typeof scenarioSchema>;

const CLIENT_GROUPS = ['all', 'holder'];
const NODE_GROUPS = ['all', 'minority', 'majority', 'held', RESOURCE];

/** Takes down a problem: where it is, and what is wrong. `about` tells whether it is with the value there or with its key. */
export type Report = (path: readonly PathStep[], message: string, about?: 'value' | 'key') => void;

/** Reports what no schema can see: parts of a scenario that contradict each other, or that could never come true. */
export function checkScenario(scenario: Parsed, report: Report): void {
  new ScenarioChecks(scenario, report).run();
}

class ScenarioChecks {
  private readonly scenario: Parsed;
  private readonly report: Report;
  private readonly clients: readonly string[];
  private readonly nodes: readonly string[];

  constructor(scenario: Parsed, report: Report) {
    this.scenario = scenario;
    this.report = report;
    this.clients = Object.keys(scenario.clients);
    this.nodes = nodeNames(scenario.settings.nodes);
  }

  run(): void {
    const { scenario } = this;
    for (const name of this.clients) {
      if ([...CLIENT_GROUPS, ...NODE_GROUPS, ...this.nodes].includes(name)) {
        this.report(['clients', name], 'means something else in a scenario; give the client another name', 'key');
      }
    }
    this.checkSettings();
    scenario.workload.forEach((script, index) => this.checkScript(['workload', index], script));
    scenario.faults.forEach((fault, index) => this.checkFault(['faults', index], fault));
    scenario.happened.forEach((occurrence, index) => {
      const path = ['happened', index];
      this.checkPattern(path, occurrence);
      const { atLeast, atMost, before } = occurrence;
      if (before !== undefined) this.checkPattern([...path, 'before'], before);
      if (atLeast !== undefined && atMost !== undefined && atLeast > atMost) {
        this.report([...path, 'atLeast'], `is more than atMost, ${atMost}`);
      }
    });
    if (scenario.expect['token-order'] !== undefined) this.needsFencing(['expect', 'token-order']);
  }

  private checkSettings(): void {
    const { restartGuard, ttl, backoff, retryDelay, retryJitter } = this.scenario.settings;
    if (restartGuard !== undefined) this.checkTtl(['settings', 'restartGuard'], restartGuard);
    this.checkTtl(['settings', 'ttl'], ttl);
    if (restartGuard !== undefined && ttl > restartGuard) {
      this.report(
        ['settings', 'ttl'],
        `is ${formatMs(ttl)}, more than settings.restartGuard, ${formatMs(restartGuard)}: the library refuses that`,
      );
    }
    if (backoff !== undefined && (retryDelay !== undefined || retryJitter !== undefined)) {
      const other = retryDelay === undefined ? 'retryJitter' : 'retryDelay';
      this.report(['settings', other], 'cannot stand beside backoff, which says all about delays', 'key');
    }
  }

  private checkScript(path: readonly PathStep[], script: Parsed['workload'][number]): void {
    this.checkMoment(path, script);
    if (script.clients === 'holder') {
      this.report([...path, 'clients'], 'nobody holds a lock when the workload begins; name clients, or all');
    } else {
      this.checkClients([...path, 'clients'], script.clients);
    }
    // One that was given back can be asked for all the same: the library refuses, or does nothing.
    let isKnown = false;
    let isHeld = false;
    script.steps.forEach((step, index) => {
      const stepPath = [...path, 'steps', index];
      if (step === 'write') {
        if (!isHeld) this.report(stepPath, 'there is no lock to write here; an acquire must come before');
      } else if (step === 'release') {
        if (!isKnown) this.report(stepPath, 'there is no lock to release here; an acquire must come before');
        isHeld = false;
      } else if ('acquire' in step) {
        isKnown = true;
        isHeld = true;
        this.checkAcquire([...stepPath, 'acquire'], step.acquire);
      } else if ('using' in step) {
        isKnown = false;
        isHeld = false;
        this.checkAcquire([...stepPath, 'using'], step.using);
      } else if ('extend' in step) {
        if (!isKnown) this.report(stepPath, 'there is no lock to extend here; an acquire must come before');
        this.checkTtl([...stepPath, 'extend'], step.extend);
      }
    });
  }

  private checkAcquire(path: readonly PathStep[], { ttl, resource }: LockStep): void {
    if (ttl !== undefined) this.checkTtl([...path, 'ttl'], ttl);
    for (const [suffix, what] of RESERVED_SUFFIXES) {
      if ([resource].flat().some((name) => name.endsWith(suffix)))
        this.report([...path, 'resource'], `must not end in ${suffix}, which names ${what}`);
    }
  }

  private checkTtl(path: readonly PathStep[], ttlMs: number): void {
    if (!Number.isSafeInteger(ttlMs)) {
      this.report(path, `is ${formatMs(ttlMs)}; Redis expires keys by whole milliseconds`);
      return;
    }
    const factor = clockDriftFactorOf(this.scenario);
    const allowanceMs = driftAllowanceMs(ttlMs, factor);
    if (ttlMs > allowanceMs) return;
    this.report(
      path,
      `is ${formatMs(ttlMs)}, all of which its drift allowance of ${formatMs(allowanceMs)} uses up; make it longer, or clockDriftFactor (${factor}) smaller`,
    );
  }

  private checkFault(path: readonly PathStep[], fault: Fault): void {
    this.checkMoment(path, fault);
    if ('clients' in fault) this.checkClients([...path, 'clients'], fault.clients);
    if ('nodes' in fault) this.checkNodes([...path, 'nodes'], fault);
    const { scenario } = this;
    switch (fault.fault) {
      case 'partition-shape':
        this.checkShape([...path, 'shape'], fault.shape);
        break;
      case 'loss':
        if (fault.command === 'commit') this.needsFencing([...path, 'command']);
        break;
      case 'promotion':
        if (!scenario.nodes.replica) {
          this.report([...path, 'fault'], 'there is no replica to promote; set nodes.replica to true');
        }
        break;
      case 'crash':
        if (fault.how !== 'kill' && scenario.nodes.persistence === 'none') {
          this.report(
            [...path, 'how'],
            `makes no difference to nodes that keep nothing on disk; set nodes.persistence, or leave it out`,
          );
        }
        break;
      case 'eviction':
        if (fault.keys !== undefined && scenario.nodes.maxmemoryPolicy === 'noeviction') {
          this.report(
            [...path, 'keys'],
            'no key is evicted under noeviction, writes are refused; set nodes.maxmemoryPolicy, or leave it out',
          );
        }
        break;
      default:
    }
  }

  private checkShape(path: readonly PathStep[], shape: Extract<Fault, { fault: 'partition-shape' }>['shape']): void {
    const leastNodes = shape === 'minority' ? 1 : 3;
    if (this.nodes.length < leastNodes) {
      this.report(path, `${shape} needs at least ${leastNodes} nodes; settings.nodes is ${this.nodes.length}`);
    }
    if ((shape === 'bridge' || shape === 'ring') && this.clients.length < 2) {
      this.report(path, `${shape} needs at least 2 clients; there is ${this.clients.length}`);
    }
  }

  private checkMoment(
    path: readonly PathStep[],
    moment: { at?: number | undefined; after?: ObservablePattern | undefined },
  ): void {
    const { at, after } = moment;
    if (at !== undefined && after !== undefined) {
      this.report([...path, 'after'], 'cannot stand beside at; keep one of them (after has a delay)', 'key');
    }
    if (at !== undefined && at >= this.scenario.limit) {
      this.report(
        [...path, 'at'],
        `is not before the end of the workload, ${formatMs(this.scenario.limit)}; raise limit`,
      );
    }
    if (after === undefined) return;
    this.checkPattern([...path, 'after'], after);
    if (after.phase === 'probe') {
      this.report(
        [...path, 'after', 'phase'],
        'probes begin when all faults are healed; wait for something of the workload',
      );
    }
  }

  private checkPattern(path: readonly PathStep[], pattern: ObservablePattern): void {
    const { event, client, node, kind } = pattern;
    for (const { field, message } of impossibleFields(pattern)) this.report([...path, field], message);
    if (client !== undefined) this.checkName([...path, 'client'], client, 'client', this.clients, []);
    if (node !== undefined) this.checkName([...path, 'node'], node, 'node', this.nodes, [RESOURCE]);
    if (event === 'write-refused') this.needsFencing([...path, 'event']);
    if (event.startsWith('command-') && kind === 'commit') this.needsFencing([...path, 'kind']);
  }

  private checkClients(path: readonly PathStep[], target: string | readonly string[]): void {
    if (typeof target === 'string') this.checkName(path, target, 'client', this.clients, CLIENT_GROUPS);
    else this.checkList(path, target, 'client', this.clients, []);
  }

  private checkNodes(path: readonly PathStep[], fault: Extract<Fault, { nodes: unknown }>): void {
    const target = fault.nodes;
    if (typeof target === 'object' && 'heldBy' in target) {
      this.checkName([...path, 'heldBy'], target.heldBy, 'client', this.clients, []);
      if (target.count !== undefined && target.count > this.nodes.length) {
        this.report([...path, 'count'], `is more than there are nodes, ${this.nodes.length}`);
      }
      return;
    }
    const reachesResource = 'clients' in fault;
    const names = typeof target === 'string' ? [target] : target;
    const groups = NODE_GROUPS.filter((group) => reachesResource || group !== RESOURCE);
    const mayName = typeof target === 'string' ? groups : groups.filter((group) => group === RESOURCE);
    if (!reachesResource && names.includes(RESOURCE)) {
      this.report(path, `${fault.fault} happens to Redis nodes, and the protected resource is none; name nodes`);
    } else if (typeof target === 'string') {
      this.checkName(path, target, 'node', this.nodes, mayName);
    } else {
      this.checkList(path, target, 'node', this.nodes, mayName);
    }
    if (names.includes(RESOURCE) && fault.fault === 'loss' && fault.command !== undefined) {
      this.report([...path.slice(0, -1), 'command'], 'only nodes get commands; the resource gets writes, leave it out');
    }
    if (target === 'minority' && quorumOf(this.nodes.length) === this.nodes.length) {
      this.report(path, `${this.nodes.length} nodes have no minority: each of them is needed for a quorum; name nodes`);
    }
  }

  private checkList(
    path: readonly PathStep[],
    names: readonly string[],
    what: 'client' | 'node',
    known: readonly string[],
    groups: readonly string[],
  ): void {
    names.forEach((name, index) => {
      this.checkName([...path, index], name, what, known, groups);
      if (names.indexOf(name) < index) this.report([...path, index], `${name} is named twice`);
    });
  }

  private checkName(
    path: readonly PathStep[],
    name: string,
    what: 'client' | 'node',
    known: readonly string[],
    groups: readonly string[],
  ): void {
    if (known.includes(name) || groups.includes(name)) return;
    const allowed = `there are ${[...abbreviate(known), ...groups].join(', ')}`;
    this.report(path, `no ${what} is called ${JSON.stringify(name)}; ${hint(name, [...known, ...groups], allowed)}`);
  }

  private needsFencing(path: readonly PathStep[]): void {
    if (this.scenario.settings.fencing) return;
    this.report(
      path,
      'comes only with fencing tokens; set settings.fencing to true',
      path[0] === 'expect' ? 'key' : 'value',
    );
  }
}

const MOST_NAMES = 12;

/** The names, without the middle of a long list. */
function abbreviate(names: readonly string[]): readonly string[] {
  if (names.length <= MOST_NAMES) return names;
  return [...names.slice(0, 3), '…', ...names.slice(-1)];
}
