import type { History } from '../history/history.ts';
import { checkAvailability } from './availability.ts';
import { checkCriticalSection } from './critical-section.ts';
import { checkDeadlockFreedom } from './deadlock-freedom.ts';
import { checkMutualExclusion } from './mutual-exclusion.ts';
import { checkReleaseSafety } from './release-safety.ts';
import { checkResourceIntegrity } from './resource-integrity.ts';
import { checkTokenOrder } from './token-order.ts';
import { type Checker, PROPERTIES, type Property, type PropertyVerdict } from './verdict.ts';

export const CHECKERS: Readonly<Record<Property, Checker>> = {
  'mutual-exclusion': checkMutualExclusion,
  'critical-section': checkCriticalSection,
  'resource-integrity': checkResourceIntegrity,
  'token-order': checkTokenOrder,
  'release-safety': checkReleaseSafety,
  'deadlock-freedom': checkDeadlockFreedom,
  availability: checkAvailability,
};

/** Judges every property of a history, in the order of PROPERTIES. */
export function checkHistory(history: History): PropertyVerdict[] {
  return PROPERTIES.map((property) => CHECKERS[property](history));
}
