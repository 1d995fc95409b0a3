import type { ObservedLog } from '../history/observed-log.ts';
import type { Fault } from '../scenario/fault-schema.ts';
import { describeFault } from './description.ts';
import { whenMoment } from './moments.ts';
import { resolveClients, resolveNodes, type TargetWorld } from './targets.ts';

/** A fault whose targets are names. */
export interface AimedFault {
  readonly fault: Fault;
  /** Its number in the history. */
  readonly number: number;
  readonly clients: readonly string[];
  readonly nodes: readonly string[];
}

/** Ends a fault. */
export type Heal = () => void | Promise<void>;

/** A world in which faults can happen. */
export interface FaultWorld extends TargetWorld {
  readonly log: ObservedLog;
  timeUs(): number;
  /** Runs `run` after so many milliseconds of true time. */
  schedule(delayMs: number, run: () => void): void;
  /**
   * Makes the fault happen, and calls `begun` when it is in force, with those of its nodes that it acts on: one that does not run cannot be paused.
   * Returns what heals it, or null if there is nothing to heal. A world in which that takes time returns promises.
   */
  inject(fault: AimedFault, begun: (nodes: readonly string[]) => void): Heal | null | Promise<Heal | null>;
  /** Told when a fault cannot be made or healed: the run proves nothing then. */
  fail(error: Error): void;
}

/** Carries out the fault schedule of a scenario, records what it does, and heals what is left. */
export class Nemesis {
  private readonly world: FaultWorld;
  private readonly heals = new Map<number, Heal>();
  private readonly underWay = new Set<Promise<void>>();
  private readonly callOffs: (() => void)[] = [];
  private count = 0;
  private isOver = false;

  constructor(world: FaultWorld) {
    this.world = world;
  }

  start(faults: readonly Fault[]): void {
    const { world } = this;
    for (const fault of faults) {
      this.callOffs.push(
        whenMoment(
          fault,
          world.log,
          (delayMs, run) => {
            world.schedule(delayMs, run);
          },
          () => {
            this.begin(fault);
          },
        ),
      );
    }
  }

  /** Heals every fault, those too that come into force only later, and calls off those that have not begun. */
  healAll(): void {
    this.isOver = true;
    for (const callOff of this.callOffs) callOff();
    for (const number of [...this.heals.keys()]) this.heal(number);
  }

  /** Resolves once every fault that was begun is in force, and every one that was ended is healed. */
  async settled(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  private begin(fault: Fault): void {
    const { world } = this;
    const clients = 'clients' in fault ? resolveClients(fault.clients, world) : [];
    const nodes = 'nodes' in fault ? resolveNodes(fault.nodes, world) : [];
    this.count += 1;
    const number = this.count;
    const miss = (deadNodes: readonly string[]): void => {
      const timeUs = world.timeUs();
      world.log.record({ type: 'fault-missed', timeUs, fault: number, kind: fault.fault, nodes: deadNodes });
    };
    if (isAimless(fault, clients, nodes)) {
      miss([]);
      return;
    }
    let hasBegun = false;
    const begun = (struck: readonly string[]): void => {
      if ('nodes' in fault && struck.length === 0) return;
      hasBegun = true;
      world.log.record({
        type: 'fault-started',
        timeUs: world.timeUs(),
        fault: number,
        kind: fault.fault,
        targets: fault.fault === 'partition-shape' ? [...world.clients, ...world.nodes] : [...clients, ...struck],
        description: describeFault(fault, clients, struck),
      });
    };
    this.afterwards(world.inject({ fault, number, clients, nodes }, begun), (heal) => {
      if (!hasBegun) {
        miss(nodes);
        return;
      }
      this.heals.set(number, heal ?? nothing);
      if (heal === null || this.isOver) this.heal(number);
      else if ('for' in fault && fault.for !== undefined) {
        world.schedule(fault.for, () => {
          this.heal(number);
        });
      }
    });
  }

  private heal(number: number): void {
    const heal = this.heals.get(number);
    if (heal === undefined) return;
    this.heals.delete(number);
    this.afterwards(heal(), () => {
      this.world.log.record({ type: 'fault-ended', timeUs: this.world.timeUs(), fault: number });
    });
  }

  /** Goes on at once where the world is as quick, so that virtual time needs no promises. */
  private afterwards<Result>(result: Result | Promise<Result>, goOn: (result: Result) => void): void {
    if (!(result instanceof Promise)) {
      goOn(result);
      return;
    }
    const work = result
      .then(goOn)
      .catch((error: unknown) => {
        this.world.fail(error instanceof Error ? error : new Error(String(error)));
      })
      .finally(() => this.underWay.delete(work));
    this.underWay.add(work);
  }
}

function isAimless(fault: Fault, clients: readonly string[], nodes: readonly string[]): boolean {
  return ('clients' in fault && clients.length === 0) || ('nodes' in fault && nodes.length === 0);
}

function nothing(): void {
  // It happened in an instant.
}
