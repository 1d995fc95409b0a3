export type { Cancel, DiagnosticsChannel, Environment } from './environment.ts';
export {
  AbortedError,
  ContendedError,
  DuplicateNodeError,
  CrossSlotError,
  ExpiredError,
  ExtensionRefusedError,
  InvalidOptionError,
  LockError,
  type LockErrorCode,
  type LockErrorJson,
  type NodeOutcome,
  UnreachableError,
} from './errors.ts';
export type {
  AcquiredEvent,
  AttemptEvent,
  ContendedEvent,
  ExtendedEvent,
  FailedEvent,
  LockOperation,
  LostEvent,
  NodeErrorEvent,
  NodeReplyEvent,
  NodeStatistics,
  RedlockEventName,
  RedlockEvents,
  RedlockListener,
  ReleasedEvent,
  StartedEvent,
} from './events.ts';
export { AcquiredLock } from './lock.ts';
export type {
  AcquireCommand,
  AdmitCommand,
  CommitCommand,
  ExtendCommand,
  InspectCommand,
  LockCommand,
  LockNode,
  LockReply,
  ReleaseCommand,
} from './lock-node.ts';
export type { RedlockClient } from './nodes.ts';
export { nodeFromPromises } from './promise-node.ts';
export type { AcquireOptions, RedlockOptions, RestartGuardOptions, UsingOptions } from './options.ts';
export { Redlock } from './redlock.ts';
export {
  exponentialRetry,
  type ExponentialRetryOptions,
  fixedRetry,
  type FixedRetryOptions,
  type RetryPolicy,
} from './retry.ts';
export { systemEnvironment } from './system-environment.ts';
export type { Routine } from './using.ts';
export type { RestartGuard } from './restart-guard.ts';
