import { describe, expect, it } from 'vitest';
import { FILE, problemsOfText, scenarioText } from './load-testing.ts';

type Case = readonly [what: string, changes: Readonly<Record<string, string>>, problem: string];

function fault(text: string): Readonly<Record<string, string>> {
  return { faults: `faults: [{ ${text} }]` };
}

function steps(text: string): Readonly<Record<string, string>> {
  return { workload: `workload: [{ steps: [${text}] }]` };
}

function happened(text: string): Readonly<Record<string, string>> {
  return { happened: `happened: [{ ${text} }]` };
}

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'names of clients': [
    [
      'in the workload',
      { workload: 'workload: [{ clients: [A, C], steps: [{ rest: 1s }] }]' },
      '4:27: workload[0].clients[1]: no client is called "C"; did you mean A? there are A, B',
    ],
    [
      'in a fault',
      fault('fault: client-pause, clients: Alice'),
      '7:42: faults[0].clients: no client is called "Alice"; there are A, B, all, holder',
    ],
    [
      'in what must have happened',
      happened('event: section-entered, client: c1'),
      '7:46: happened[0].client: no client is called "c1"; there are A, B',
    ],
    [
      'in what is waited for',
      fault('fault: flush, nodes: n1, after: { event: section-entered, client: x }'),
      '7:78: faults[0].after.client: no client is called "x"; did you mean A? there are A, B',
    ],
    [
      'of a holder',
      fault('fault: flush, nodes: { heldBy: C1, count: 1 }'),
      '7:43: faults[0].nodes.heldBy: no client is called "C1"; there are A, B',
    ],
    [
      'of many',
      { clients: 'clients: 100', ...fault('fault: client-pause, clients: c101') },
      '7:42: faults[0].clients: no client is called "c101"; did you mean c10? there are c1, c2, c3, …, c100, all, holder',
    ],
    ['twice in a list', fault('fault: client-pause, clients: [A, A]'), '7:46: faults[0].clients[1]: A is named twice'],
    [
      'that mean something else',
      { clients: 'clients: { all: , n5: , n6: , resource: }' },
      '3:12: clients.all: means something else in a scenario; give the client another name',
    ],
    [
      'before anybody holds a lock',
      { workload: 'workload: [{ clients: holder, steps: [{ rest: 1s }] }]' },
      '4:23: workload[0].clients: nobody holds a lock when the workload begins; name clients, or all',
    ],
  ],
  'names of nodes': [
    [
      'in a fault',
      fault('fault: flush, nodes: n6'),
      '7:33: faults[0].nodes: no node is called "n6"; did you mean n1? there are n1, n2, n3, n4, n5, all, minority, majority, held',
    ],
    [
      'in a list',
      fault('fault: flush, nodes: [n1, all]'),
      '7:38: faults[0].nodes[1]: no node is called "all"; there are n1, n2, n3, n4, n5',
    ],
    [
      'in what something must have happened before',
      happened('event: key-lost, before: { event: key-lost, node: n0 }'),
      '7:64: happened[0].before.node: no node is called "n0"; did you mean n1? there are n1, n2, n3, n4, n5, resource',
    ],
    [
      'in what must have happened',
      happened('event: key-lost, node: n0'),
      '7:37: happened[0].node: no node is called "n0"; did you mean n1? there are n1, n2, n3, n4, n5, resource',
    ],
    [
      'more than there are',
      fault('fault: flush, nodes: { heldBy: A, count: 6 }'),
      '7:53: faults[0].nodes.count: is more than there are nodes, 5',
    ],
    [
      'of a minority that is empty',
      { settings: 'settings: { nodes: 2 }', ...fault('fault: flush, nodes: minority') },
      '7:33: faults[0].nodes: 2 nodes have no minority: each of them is needed for a quorum; name nodes',
    ],
  ],
  'the protected resource': [
    [
      'is no Redis node',
      fault('fault: crash, nodes: resource'),
      '7:33: faults[0].nodes: crash happens to Redis nodes, and the protected resource is none; name nodes',
    ],
    [
      'is no Redis node in a list either',
      fault('fault: clock-jump, by: 1s, nodes: [n1, resource]'),
      '7:46: faults[0].nodes: clock-jump happens to Redis nodes, and the protected resource is none; name nodes',
    ],
    [
      'gets no commands',
      fault('fault: loss, direction: reply, nodes: resource, command: acquire'),
      '7:69: faults[0].command: only nodes get commands; the resource gets writes, leave it out',
    ],
  ],
  'shapes of partitions': [
    [
      'bridge with too few nodes',
      { settings: 'settings: { nodes: 2 }', ...fault('fault: partition-shape, shape: bridge') },
      '7:43: faults[0].shape: bridge needs at least 3 nodes; settings.nodes is 2',
    ],
    [
      'ring with too few nodes',
      { settings: 'settings: { nodes: 1 }', ...fault('fault: partition-shape, shape: ring') },
      '7:43: faults[0].shape: ring needs at least 3 nodes; settings.nodes is 1',
    ],
    [
      'bridge with too few clients',
      { clients: 'clients: 1', ...fault('fault: partition-shape, shape: bridge') },
      '7:43: faults[0].shape: bridge needs at least 2 clients; there is 1',
    ],
  ],
  'what comes only with fencing': [
    [
      'token-order',
      { expect: 'expect: { token-order: ok }' },
      '5:11: expect.token-order: comes only with fencing tokens; set settings.fencing to true',
    ],
    ['a refused write', happened('event: write-refused'), '7:21: happened[0].event: comes only with fencing tokens'],
    [
      'a commit that must have happened',
      happened('event: command-executed, kind: commit'),
      '7:45: happened[0].kind: comes only with fencing tokens; set settings.fencing to true',
    ],
    [
      'a lost commit',
      fault('fault: loss, direction: reply, command: commit'),
      '7:52: faults[0].command: comes only with fencing tokens; set settings.fencing to true',
    ],
  ],
  moments: [
    [
      'at and after',
      fault('fault: flush, nodes: n1, at: 1s, after: { event: section-entered }'),
      '7:45: faults[0].after: cannot stand beside at; keep one of them (after has a delay)',
    ],
    [
      'at and after in the workload',
      { workload: 'workload: [{ at: 1s, after: { event: section-entered }, steps: [{ rest: 1s }] }]' },
      '4:22: workload[0].after: cannot stand beside at; keep one of them (after has a delay)',
    ],
    [
      'after the end of the workload',
      fault('fault: flush, nodes: n1, at: 60s'),
      '7:41: faults[0].at: is not before the end of the workload, 60 s; raise limit',
    ],
    [
      'of the probes',
      fault('fault: flush, nodes: n1, after: { event: acquire-invoked, phase: probe }'),
      '7:77: faults[0].after.phase: probes begin when all faults are healed; wait for something of the workload',
    ],
  ],
  'events that cannot be': [
    [
      'with a field that they do not have',
      happened('event: section-entered, node: n1'),
      '7:44: happened[0].node: no section-entered has a node; it can be narrowed only by client',
    ],
    [
      'with a field that none of them has',
      happened('event: fault-ended, kind: crash'),
      '7:40: happened[0].kind: no fault-ended has a kind; it cannot be narrowed',
    ],
    [
      'with an unknown command',
      happened('event: command-sent, kind: set'),
      '7:41: happened[0].kind: no command-sent has the kind "set"; there are acquire, commit, extend, release, inspect',
    ],
    [
      'with an unknown fault',
      fault('fault: flush, nodes: n1, after: { event: fault-started, kind: client-puase }'),
      'faults[0].after.kind: no fault-started has the kind "client-puase"; did you mean client-pause? there are partition,',
    ],
    [
      'with an unknown reply',
      happened('event: reply-received, reply: grant'),
      '7:44: happened[0].reply: no reply-received has the reply "grant"; did you mean granted? there are granted, held,',
    ],
    [
      'with an unknown code',
      happened('event: acquire-failed, code: contend'),
      'no acquire-failed has the code "contend"; did you mean contended? there are contended, unreachable, expired,',
    ],
    [
      'with an unknown cause',
      happened('event: key-lost, cause: eviction'),
      '7:38: happened[0].cause: no key-lost has the cause "eviction"; there are expired, evicted, restart, flush, promotion',
    ],
    [
      'more often and less often',
      happened('event: key-lost, atLeast: 2, atMost: 1'),
      '7:40: happened[0].atLeast: is more than atMost, 1',
    ],
  ],
  'times to live': [
    [
      'of all locks',
      { settings: 'settings: { ttl: 2ms }' },
      '2:18: settings.ttl: is 2 ms, all of which its drift allowance of 2 ms uses up; make it longer, or clockDriftFactor (0.01) smaller',
    ],
    [
      'of one lock, by its own drift factor',
      { settings: 'settings: { clockDriftFactor: 0.9 }', ...steps('{ acquire: { resource: r, ttl: 10ms } }') },
      '4:53: workload[0].steps[0].acquire.ttl: is 10 ms, all of which its drift allowance of 11 ms uses up; make it longer, or clockDriftFactor (0.9) smaller',
    ],
    [
      'above what the restart guard reckons with',
      { settings: 'settings: { ttl: 3s, restartGuard: 2s }' },
      '2:18: settings.ttl: is 3 s, more than settings.restartGuard, 2 s: the library refuses that',
    ],
    [
      'of the restart guard',
      { settings: 'settings: { ttl: 1s, restartGuard: 1500.5ms }' },
      '2:36: settings.restartGuard: is 1.5 s; Redis expires keys by whole milliseconds',
    ],
    [
      'of an extension',
      steps('{ acquire: { resource: r } }, { extend: 1ms }'),
      '4:62: workload[0].steps[1].extend: is 1 ms, all of which its drift allowance of 2 ms uses up',
    ],
    [
      'that are no whole milliseconds',
      { settings: 'settings: { ttl: 1500us }' },
      '2:18: settings.ttl: is 1.5 ms; Redis expires keys by whole milliseconds',
    ],
  ],
  'delays between attempts': [
    [
      'that are fixed, and grow',
      { settings: 'settings: { retryJitter: 5ms, backoff: { base: 10ms } }' },
      '2:13: settings.retryJitter: cannot stand beside backoff, which says all about delays',
    ],
  ],
  'steps without a lock': [
    [
      'release',
      steps('release'),
      '4:22: workload[0].steps[0]: there is no lock to release here; an acquire must come before',
    ],
    ['write', steps('{ rest: 1s }, write'), '4:36: workload[0].steps[1]: there is no lock to write here'],
    [
      'write after the release',
      steps('{ acquire: { resource: r } }, release, write'),
      '4:61: workload[0].steps[2]: there is no lock to write here; an acquire must come before',
    ],
    [
      'release after using, which does that',
      steps('{ using: { resource: r, work: 1s } }, release'),
      '4:60: workload[0].steps[1]: there is no lock to release here; an acquire must come before',
    ],
    ['extend', steps('{ extend: 5s }'), '4:22: workload[0].steps[0]: there is no lock to extend here'],
  ],
  resources: [
    [
      'that are the counter of another',
      steps('{ acquire: { resource: "r:fencing-counter" } }'),
      '4:45: workload[0].steps[0].acquire.resource: must not end in :fencing-counter, which names fencing counters',
    ],
    [
      'of which one in a list is the counter of another',
      steps('{ acquire: { resource: [a, "r:fencing-counter"] } }'),
      '4:45: workload[0].steps[0].acquire.resource: must not end in :fencing-counter, which names fencing counters',
    ],
    [
      'of which there is none in the list',
      steps('{ acquire: { resource: [] } }'),
      '4:45: workload[0].steps[0].acquire.resource: must not be empty',
    ],
  ],
  'nodes that are not set up for it': [
    [
      'promotion without a replica',
      fault('fault: promotion, nodes: n1'),
      '7:19: faults[0].fault: there is no replica to promote; set nodes.replica to true',
    ],
    [
      'power loss without a disk',
      fault('fault: crash, nodes: n1, how: power-loss'),
      '7:42: faults[0].how: makes no difference to nodes that keep nothing on disk; set nodes.persistence, or leave it out',
    ],
    [
      'eviction of some keys by a node that evicts none',
      fault('fault: eviction, nodes: n1, keys: 1'),
      '7:46: faults[0].keys: no key is evicted under noeviction, writes are refused; set nodes.maxmemoryPolicy, or leave it out',
    ],
  ],
};

describe.each(Object.entries(CASES))('%s', (_group, cases) => {
  it.each(cases)('%s', (_what, changes, problem) => {
    const found = problemsOfText(scenarioText(changes)).join('\n');
    expect(found).toContain(`${FILE}:`);
    expect(found).toContain(problem);
  });
});

it.each([
  ['symbolic targets', fault('fault: partition, clients: holder, nodes: held')],
  ['the resource among nodes', fault('fault: partition, clients: A, nodes: [n1, resource]')],
  ['lost writes', fault('fault: loss, direction: reply, nodes: resource')],
  ['a minority of three', { settings: 'settings: { nodes: 3 }', ...fault('fault: flush, nodes: minority') }],
  ['holders', fault('fault: flush, nodes: { heldBy: A, count: 5 }')],
  [
    'power loss with a disk',
    { nodes: 'nodes: { persistence: aof-everysec }', ...fault('fault: crash, nodes: n1, how: power-loss') },
  ],
  ['promotion with replicas', { nodes: 'nodes: { replica: true }', ...fault('fault: promotion, nodes: n1') }],
  ['eviction', { nodes: 'nodes: { maxmemoryPolicy: allkeys-lru }', ...fault('fault: eviction, nodes: n1, keys: 1') }],
  ['token order with fencing', { settings: 'settings: { fencing: true }', expect: 'expect: { token-order: ok }' }],
  ['a client named like a node that is not there', { clients: 'clients: { n6: }' }],
  [
    'a count and a delay',
    fault('fault: flush, nodes: n1, after: { event: key-lost, node: n1, cause: expired, nth: 2, delay: 1s }'),
  ],
  ['a number of times', happened('event: acquire-failed, code: contended, atLeast: 2, atMost: 3')],
  ['the shortest time to live', { settings: 'settings: { ttl: 3ms }' }],
])('takes %s', (_what, changes) => {
  expect(problemsOfText(scenarioText(changes))).toEqual([]);
});
