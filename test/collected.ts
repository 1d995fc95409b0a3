import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Whether nothing keeps the object any more: collects garbage once, and looks. */
export async function isCollected(reference: WeakRef<object>): Promise<boolean> {
  // A reference that was made or read keeps its object until the event loop has turned.
  await setImmediate();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  collect();
  return reference.deref() === undefined;
}
