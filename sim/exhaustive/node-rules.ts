/** A command as a node of the small world gets it: the owner stands for the lock value, 0 for none. */
export interface NodeCommand {
  readonly kind: 'acquire' | 'commit' | 'extend' | 'release';
  /** Which of its attempts the client sends it for, from 1. */
  readonly attempt: number;
  /** The token of a commit, the hint of an acquire with fencing; -1 without fencing. */
  readonly argument: number;
}

/** What a node holds: one key, and its fencing counter. */
export interface NodeContents {
  owner: number;
  /** The last tick at which the key is there. */
  expiresTick: number;
  counter: number;
}

export interface NodeAnswer {
  readonly kind: 'granted' | 'held' | 'committed' | 'refused' | 'extended' | 'absent' | 'released';
  /** Of a grant with fencing; -1 otherwise. */
  readonly token: number;
}

/** Runs a command for `owner` on a node; changes what it holds. */
export type NodeRules = (
  node: NodeContents,
  command: NodeCommand,
  owner: number,
  nowTick: number,
  ttlTicks: number,
) => NodeAnswer;

const HELD: NodeAnswer = { kind: 'held', token: -1 };
const GRANTED: NodeAnswer = { kind: 'granted', token: -1 };
const COMMITTED: NodeAnswer = { kind: 'committed', token: -1 };
const REFUSED: NodeAnswer = { kind: 'refused', token: -1 };
const EXTENDED: NodeAnswer = { kind: 'extended', token: -1 };
const ABSENT: NodeAnswer = { kind: 'absent', token: -1 };
const RELEASED: NodeAnswer = { kind: 'released', token: -1 };

/** What a redis-server does with the library's commands: the model node in whole ticks, held to the same conformance suite. */
export const NODE_RULES: NodeRules = (node, command, owner, nowTick, ttlTicks) => {
  switch (command.kind) {
    case 'acquire': {
      if (node.owner !== 0 && node.owner !== owner) return HELD;
      node.expiresTick = Math.max(nowTick + ttlTicks, node.owner === 0 ? 0 : node.expiresTick);
      node.owner = owner;
      if (command.argument < 0) return GRANTED;
      node.counter = Math.max(node.counter + 1, command.argument);
      return { kind: 'granted', token: node.counter };
    }
    case 'commit':
      if (node.owner !== owner || node.counter > command.argument) return REFUSED;
      node.counter = command.argument;
      return COMMITTED;
    case 'extend':
      if (node.owner !== owner) return ABSENT;
      node.expiresTick = Math.max(nowTick + ttlTicks, node.expiresTick);
      return EXTENDED;
    case 'release':
      if (node.owner !== owner) return ABSENT;
      node.owner = 0;
      node.expiresTick = 0;
      return RELEASED;
  }
};
