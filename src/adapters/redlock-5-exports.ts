// What both entries that have the API of redlock 5 export, besides their Redlock and its settings.
export {
  type Client,
  type ClientExecutionResult,
  ExecutionError,
  type ExecutionResult,
  type ExecutionStats,
  ResourceLockedError,
} from './execution.ts';
export {
  Lock,
  type Redlock5Base,
  type RedlockAbortSignal,
  type RedlockUsingContext,
  type UsingRoutine,
} from './redlock-5-base.ts';
