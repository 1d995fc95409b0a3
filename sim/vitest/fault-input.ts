import type {
  ClientTargetInput,
  DurationInput,
  DurationRangeInput,
  MomentInput,
  NodeTargetInput,
} from './scenario-input.ts';

/** A fault that lasts: it is healed after `for`, or else when the workload ends. */
interface Lasting extends MomentInput {
  readonly for?: DurationInput | undefined;
}

/** The connections between these clients (all) and these nodes, or the protected resource (all nodes). */
interface Links {
  readonly clients?: ClientTargetInput | undefined;
  readonly nodes?: NodeTargetInput | undefined;
}

interface Directed extends Links {
  /** Whether only requests or only replies are concerned (both). */
  readonly direction?: 'both' | 'request' | 'reply' | undefined;
}

interface OnNodes {
  readonly nodes: NodeTargetInput;
}

interface OnClients {
  readonly clients: ClientTargetInput;
}

/** No message passes. */
export interface PartitionInput extends Lasting, Directed {
  readonly fault: 'partition';
}

/** Clients see different nodes: two halves that share one, overlapping majorities, or all of them the same part. */
export interface PartitionShapeInput extends Lasting {
  readonly fault: 'partition-shape';
  readonly shape: 'bridge' | 'ring' | 'minority' | 'majority';
}

/** Messages are lost. A lost reply means that the command was executed. */
export interface LossInput extends Lasting, Links {
  readonly fault: 'loss';
  readonly direction: 'request' | 'reply';
  readonly command?: 'acquire' | 'commit' | 'extend' | 'release' | 'inspect' | undefined;
  /** Only the first so many on each connection. */
  readonly count?: number | undefined;
  /** Of each message to be lost (1). */
  readonly probability?: number | undefined;
}

/** Messages take longer by `delay`; a range is jitter. */
export interface LatencyInput extends Lasting, Directed {
  readonly fault: 'latency';
  readonly delay: DurationRangeInput;
}

export interface BandwidthInput extends Lasting, Directed {
  readonly fault: 'bandwidth';
  readonly bytesPerSecond: number;
}

/** Open connections break, with what is in flight. */
export interface ResetInput extends MomentInput, Links {
  readonly fault: 'reset';
}

/** Who is at the other end learns only after `delay` that a connection was closed. */
export interface SlowCloseInput extends Lasting, Links {
  readonly fault: 'slow-close';
  readonly delay: DurationInput;
}

/** A connection closes after so many bytes. */
export interface LimitDataInput extends Lasting, Directed {
  readonly fault: 'limit-data';
  readonly bytes: number;
}

/** Messages are cut into slices of so many bytes, with `delay` between them. */
export interface SlicerInput extends Lasting, Directed {
  readonly fault: 'slicer';
  readonly bytes: number;
  readonly delay: DurationInput;
}

/** A node's wall clock, by which keys expire, jumps; `by` may be negative. */
export interface ClockJumpInput extends MomentInput, OnNodes {
  readonly fault: 'clock-jump';
  readonly by: DurationInput;
}

/** A node's clock runs at another `rate`: 1.01 gains one second in a hundred. */
export interface ClockDriftInput extends Lasting, OnNodes {
  readonly fault: 'clock-drift';
  readonly rate: number;
}

/** A node's clock jumps to and fro. */
export interface ClockStrobeInput extends Lasting, OnNodes {
  readonly fault: 'clock-strobe';
  readonly by: DurationInput;
  readonly every: DurationInput;
}

/** A client's wall clock jumps, which matters only to a client that reads it. */
export interface ClientClockJumpInput extends MomentInput, OnClients {
  readonly fault: 'client-clock-jump';
  readonly by: DurationInput;
}

/** Both of a client's clocks run at another `rate`. */
export interface ClientClockDriftInput extends Lasting, OnClients {
  readonly fault: 'client-clock-drift';
  readonly rate: number;
}

/** A client's process stands still, as in a long collection of garbage: its clocks go on. */
export interface ClientPauseInput extends Lasting, OnClients {
  readonly fault: 'client-pause';
}

/** A server's process stands still. */
export interface ServerPauseInput extends Lasting, OnNodes {
  readonly fault: 'server-pause';
}

/** A server dies, and starts again when the fault is healed, with what its `persistence` has kept. */
export interface CrashInput extends Lasting, OnNodes {
  readonly fault: 'crash';
  /** By SIGKILL (the default), by SIGTERM, or with everything that was not on disk yet. */
  readonly how?: 'kill' | 'terminate' | 'power-loss' | undefined;
}

/** Memory is short: the node's `maxmemoryPolicy` decides which lock keys go (`keys` of them, or all). */
export interface EvictionInput extends Lasting, OnNodes {
  readonly fault: 'eviction';
  readonly keys?: number | undefined;
}

/** FLUSHALL. */
export interface FlushInput extends MomentInput, OnNodes {
  readonly fault: 'flush';
}

/** A node's replica takes over, without the writes of the last `lag` (or without any). */
export interface PromotionInput extends MomentInput, OnNodes {
  readonly fault: 'promotion';
  readonly lag?: DurationInput | undefined;
}

/** One thing that goes wrong, and when. */
export type FaultInput =
  | PartitionInput
  | PartitionShapeInput
  | LossInput
  | LatencyInput
  | BandwidthInput
  | ResetInput
  | SlowCloseInput
  | LimitDataInput
  | SlicerInput
  | ClockJumpInput
  | ClockDriftInput
  | ClockStrobeInput
  | ClientClockJumpInput
  | ClientClockDriftInput
  | ClientPauseInput
  | ServerPauseInput
  | CrashInput
  | EvictionInput
  | FlushInput
  | PromotionInput;
