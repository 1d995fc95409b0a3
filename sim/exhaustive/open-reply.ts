import type { LockReply } from '../../src/lock-node.ts';

/** Learns which replies are left, and which others there were; those that say the same are together. */
type DecisionListener = (left: readonly LockReply[], others: readonly (readonly LockReply[])[]) => void;

/**
 * A reply of which it is open what it says: one of several. What all of them have in common can be read; whoever reads what tells them apart decides
 * for some of them, and `onDecision` learns of the others, which are to be tried as well. What is read of a reply is all that its reader can know: with all
 * that are left at the end, he would have done the same.
 */
export function openReply(candidates: readonly LockReply[], onDecision: DecisionListener): LockReply {
  let left = candidates;
  const read = <Value>(ask: (reply: LockReply) => Value): Value => {
    const groups = new Map<Value, LockReply[]>();
    for (const reply of left) {
      const value = ask(reply);
      const group = groups.get(value);
      if (group === undefined) groups.set(value, [reply]);
      else group.push(reply);
    }
    const [[value, group], ...others] = [...groups] as [[Value, LockReply[]], ...[Value, LockReply[]][]];
    if (others.length > 0) {
      left = group;
      onDecision(
        group,
        others.map(([, other]) => other),
      );
    }
    return value;
  };
  const refuse = (): never => {
    throw new Error(
      'The library does with a reply what exhaustive mode cannot follow: it may only read its properties',
    );
  };
  return new Proxy({} as LockReply, {
    get: (_, property) => read((reply) => Reflect.get(reply, property) as unknown),
    has: (_, property) => read((reply) => Reflect.has(reply, property)),
    ownKeys: refuse,
    getOwnPropertyDescriptor: refuse,
    getPrototypeOf: refuse,
    set: refuse,
    defineProperty: refuse,
    deleteProperty: refuse,
    setPrototypeOf: refuse,
    preventExtensions: refuse,
    isExtensible: refuse,
  });
}
