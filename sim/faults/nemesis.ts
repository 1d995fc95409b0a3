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

/** A world in which faults can happen. */
export interface FaultWorld extends TargetWorld {
  readonly log: ObservedLog;
  timeUs(): number;
  /** Runs `run` after so many milliseconds of true time. */
  schedule(delayMs: number, run: () => void): void;
  /** Makes the fault happen; returns what heals it, or null if there is nothing to heal. */
  inject(fault: AimedFault): (() => void) | null;
}

/** Carries out the fault schedule of a scenario, records what it does, and heals what is left. */
export class Nemesis {
  private readonly world: FaultWorld;
  private readonly heals = new Map<number, () => void>();
  private readonly callOffs: (() => void)[] = [];
  private count = 0;

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

  /** Heals every fault, and calls off those that have not begun. */
  healAll(): void {
    for (const callOff of this.callOffs) callOff();
    for (const number of [...this.heals.keys()]) this.heal(number);
  }

  private begin(fault: Fault): void {
    const { world } = this;
    const clients = 'clients' in fault ? resolveClients(fault.clients, world) : [];
    const nodes = 'nodes' in fault ? resolveNodes(fault.nodes, world) : [];
    this.count += 1;
    const number = this.count;
    world.log.record({
      type: 'fault-started',
      timeUs: world.timeUs(),
      fault: number,
      kind: fault.fault,
      targets: fault.fault === 'partition-shape' ? [...world.clients, ...world.nodes] : [...clients, ...nodes],
      description: describeFault(fault, clients, nodes),
    });
    const undo = world.inject({ fault, number, clients, nodes });
    this.heals.set(
      number,
      undo ??
        (() => {
          /* It happened in an instant. */
        }),
    );
    if (undo === null) this.heal(number);
    else if ('for' in fault && fault.for !== undefined)
      world.schedule(fault.for, () => {
        this.heal(number);
      });
  }

  private heal(number: number): void {
    const undo = this.heals.get(number);
    if (undo === undefined) return;
    this.heals.delete(number);
    undo();
    this.world.log.record({ type: 'fault-ended', timeUs: this.world.timeUs(), fault: number });
  }
}
