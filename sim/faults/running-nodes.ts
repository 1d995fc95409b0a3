import type { Fault } from '../scenario/fault-schema.ts';

/** Whether a node must run for the fault to do anything to it. Who is down cannot stop, die, forget or be replaced; it can still be cut off, and its clock be moved. */
export function needsRunningNode({ fault }: Fault): boolean {
  return ['server-pause', 'crash', 'eviction', 'flush', 'promotion', 'reset'].includes(fault);
}
