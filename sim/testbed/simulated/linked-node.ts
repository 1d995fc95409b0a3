import type { LockCommand, LockNode, LockReply } from '../../../src/lock-node.ts';
import type { ObservedLog } from '../../history/observed-log.ts';
import { AttemptStarts } from '../attempt-starts.ts';
import { valueOfCommand } from '../command-value.ts';
import { Exchange, type Link } from './link.ts';
import type { SimulatedClient } from './simulated-client.ts';
import type { Simulation } from './simulation.ts';

/** What one script of a client sends: numbers the commands, and notices where attempts begin. */
export class CommandLog {
  private readonly simulation: Simulation;
  private readonly log: ObservedLog;
  private readonly client: SimulatedClient;
  private readonly counter: { commands: number };
  /** The acquire that attempts belong to. */
  operation = 0;
  /** A round for one resource sends one command object to all nodes: its texts are looked up once. */
  private lastCommand: LockCommand | null = null;
  private readonly attempts = new AttemptStarts();
  keyPlace = 0;
  valuePlace = 0;
  kindPlace = 0;

  constructor(simulation: Simulation, log: ObservedLog, client: SimulatedClient, counter: { commands: number }) {
    this.simulation = simulation;
    this.log = log;
    this.client = client;
    this.counter = counter;
  }

  /** Records that the command leaves for the node; returns its number. */
  recordSent(command: LockCommand, nodePlace: number): number {
    const { log, simulation, client } = this;
    if (command !== this.lastCommand) this.begin(command);
    this.counter.commands += 1;
    log.recordSent(
      simulation.nowUs,
      this.counter.commands,
      client.namePlace,
      nodePlace,
      this.kindPlace,
      this.keyPlace,
      this.valuePlace,
    );
    return this.counter.commands;
  }

  private begin(command: LockCommand): void {
    const { log, simulation, client } = this;
    this.lastCommand = command;
    const value = valueOfCommand(command);
    this.keyPlace = log.intern(command.key);
    this.valuePlace = log.intern(value);
    this.kindPlace = log.intern(command.kind);
    if (!this.attempts.isBegunBy(command)) return;
    const { operation } = this;
    log.record({ type: 'attempt-started', timeUs: simulation.nowUs, client: client.name, operation, value });
  }
}

/** Bytes of a command on the wire beyond its key and value, about. */
const COMMAND_BYTES = 60;

/** A node as the library of one client sees it: commands travel over the client's link to it. */
export class LinkedNode implements LockNode {
  readonly id: string;
  private readonly link: Link<LockCommand, LockReply>;
  private readonly commands: CommandLog;
  private readonly namePlace: number;

  constructor(id: string, link: Link<LockCommand, LockReply>, commands: CommandLog, log: ObservedLog) {
    this.id = id;
    this.link = link;
    this.commands = commands;
    this.namePlace = log.intern(id);
  }

  execute(command: LockCommand, settle: (reply: LockReply) => void): void {
    const number = this.commands.recordSent(command, this.namePlace);
    const bytes = COMMAND_BYTES + command.key.length + valueOfCommand(command).length;
    const { kindPlace, keyPlace, valuePlace } = this.commands;
    this.link.send(
      new Exchange(this.link, number, command.kind, kindPlace, command, bytes, keyPlace, valuePlace, settle),
    );
  }
}
