import { describe, expect, it } from 'vitest';
import { FILE, problemsOfText as problems, scenarioText } from './load-testing.ts';
import { parseScenario } from './load-text.ts';

describe('a good scenario', () => {
  it('is parsed with its defaults, durations in milliseconds, and the name of its file', () => {
    const scenario = parseScenario(scenarioText(), FILE, 'two-clients');
    expect(scenario).toMatchObject({
      name: 'two-clients',
      settings: { nodes: 5, ttl: 10_000, fencing: false },
      clients: { A: { clock: 'monotonic', rate: 1 }, B: { wallOffset: 0 } },
      network: { latency: { minMs: 0.2, maxMs: 1 } },
      faults: [],
      limit: 60_000,
    });
    expect(scenario.workload[0]?.steps[1]).toEqual({ work: { minMs: 1000, maxMs: 1000 } });
  });

  it.each([
    ['250us', 0.25],
    ['20ms', 20],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['7', 7],
  ])('reads the duration %s', (text, ms) => {
    expect(parseScenario(scenarioText({ limit: `limit: ${text}` }), FILE, 'a').limit).toBe(ms);
  });

  it('takes a client whose name is that of a property of all objects', () => {
    const scenario = parseScenario(scenarioText({ clients: 'clients: { constructor: }' }), FILE, 'a');
    expect(Object.keys(scenario.clients)).toEqual(['constructor']);
  });

  it('may repeat a part by an anchor', () => {
    const workload =
      'workload:\n  - clients: A\n    steps: &steps [{ acquire: { resource: r } }, release]\n  - clients: B\n    steps: *steps';
    expect(parseScenario(scenarioText({ workload }), FILE, 'a').workload[1]?.steps).toHaveLength(2);
  });
});

describe('what is not YAML', () => {
  it.each([
    ['', `${FILE}: is empty; a scenario needs at least title, clients, workload, expect and lesson`],
    ['# only a comment\n', `${FILE}: is empty; a scenario needs at least title, clients, workload, expect and lesson`],
    ['title: a\ntitle: b\n', `${FILE}:2:1: this key is here twice; keep one of them`],
    ['settings: { ttl: 1s, ttl: 2s }\n', `${FILE}:1:22: this key is here twice; keep one of them`],
    ['clients: { A: , __proto__: }\n', `${FILE}:1:17: __proto__ is no name here`],
    ['clients:\n  A:\n    __proto__: { rate: 2 }\n', `${FILE}:3:5: __proto__ is no name here`],
    ['"__proto__": 1\n', `${FILE}:1:1: __proto__ is no name here`],
    ['workload: { A: [{ acquire: { __proto__: x } }] }\n', `${FILE}:1:30: __proto__ is no name here`],
    ['expect:\n  __proto__: holds\n', `${FILE}:2:3: __proto__ is no name here`],
    ['settings:\n\tnodes: 5\n', `${FILE}:2:1: is indented with a tab; YAML allows only spaces there`],
    [
      'title: a\n---\ntitle: b\n',
      `${FILE}:2:1: a second document begins here; a scenario file has one (remove the line ---)`,
    ],
    ['title: "a\n', `${FILE}:2:1: is not valid YAML: Missing closing "quote`],
    [
      'title: *nowhere\n',
      `${FILE}:1:8: no anchor &nowhere comes before this alias; set one, or put a text that begins with * in quotes`,
    ],
    [
      'title: !!js/function x\n',
      `${FILE}:1:8: Unresolved tag: tag:yaml.org,2002:js/function; a scenario needs no tags (!…)`,
    ],
    ['? [a]\n: b\n', `${FILE}:1:3: this key is not a text; put it in quotes`],
    ['- a\n', `${FILE}:1:1: must be a mapping of keys, not a list`],
    ['just words\n', `${FILE}:1:1: must be a mapping of keys, not "just words"`],
  ])('%j', (text, message) => {
    expect(problems(text)[0]).toContain(message);
  });

  it('stops at an anchor bomb', () => {
    const levels = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (const [index, name] of ['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].entries()) {
      const last = 'abcdefghi'.charAt(index);
      levels.push(`${name}: &${name} [${`*${last}, `.repeat(9)}*${last}]`);
    }
    expect(problems(levels.join('\n'))).toEqual([
      `${FILE}: repeats too much by anchors and aliases; write it out, or repeat less`,
    ]);
  });

  it('reads a large file in no time, and tells what is wrong with it', () => {
    const text = Array.from({ length: 50_000 }, (_, index) => `key${index}: 1`).join('\n');
    expect(problems(text).at(-1)).toMatch(/and \d{5} more problems$/);
  });

  it('stops at nesting without end', () => {
    expect(problems('['.repeat(100_000))).toEqual([
      `${FILE}: is nested too deeply; a scenario needs no more than ten levels`,
    ]);
  });
});

describe('what does not fit the schema', () => {
  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['a missing key', { title: '' }, '2:1: title: is missing; must be a text: what happens, in one line'],
    [
      'an unknown key',
      { limit: 'limt: 5s' },
      '7:1: limt: is not a key here; did you mean limit? allowed: title, source,',
    ],
    ['a number for a text', { title: 'title: 5' }, '1:8: title: must be a text, not 5'],
    ['an empty text', { title: 'title: ""' }, '1:8: title: must not be empty'],
    ['nothing for a text', { title: 'title:' }, '1:7: title: must be a text, not nothing'],
    [
      'a text for a number',
      { settings: 'settings: { nodes: five }' },
      '2:20: settings.nodes: must be a number, not "five"',
    ],
    ['a fraction', { settings: 'settings: { nodes: 4.5 }' }, '2:20: settings.nodes: must be a whole number, not 4.5'],
    ['too few', { settings: 'settings: { nodes: 0 }' }, '2:20: settings.nodes: must be at least 1, not 0'],
    ['too many', { settings: 'settings: { nodes: 100 }' }, '2:20: settings.nodes: must be at most 99, not 100'],
    ['a bound that is left out', { settings: 'settings: { clockDriftFactor: 1 }' }, 'must be less than 1, not 1'],
    [
      'a text for yes or no',
      { settings: 'settings: { fencing: yes }' },
      '2:22: settings.fencing: must be true or false, not "yes"',
    ],
    [
      'no duration',
      { limit: 'limit: soon' },
      '7:8: limit: must be a duration such as 250us, 20ms, 1.5s, 2m or 1h, or a number of milliseconds',
    ],
    [
      'a list for a duration',
      { limit: 'limit: [1s]' },
      '7:8: limit: must be a duration such as 250us, 20ms, 1.5s, 2m or 1h, or a number of milliseconds, not a list',
    ],
    ['a negative duration', { limit: 'limit: -1s' }, '7:8: limit: must be more than zero'],
    [
      'an endless duration',
      { limit: 'limit: .inf' },
      '7:8: limit: must be a duration such as 250us, 20ms, 1.5s, 2m or 1h, or a number of milliseconds, not Infinity',
    ],
    ['a huge duration', { limit: 'limit: 1001h' }, '7:8: limit: must be at most 1000h'],
    [
      'a range the wrong way round',
      { network: 'network: { latency: 5ms..1ms }' },
      '7:21: network.latency: must not end before it begins',
    ],
    [
      'no range',
      { network: 'network: { latency: 5ms-9ms }' },
      'must be a duration such as 20ms or 1.5s, a range such as 10ms..50ms, or a number of milliseconds',
    ],
    ['no clients', { clients: 'clients: {}' }, '3:10: clients: must name at least one client'],
    ['zero clients', { clients: 'clients: 0' }, '3:10: clients: must be at least 1, not 0'],
    ['clients as a text', { clients: 'clients: A' }, '3:10: clients: must be a number of clients, or clients by name'],
    [
      'a strange name of a client',
      { clients: 'clients: { "<b>": }' },
      '3:12: clients["<b>"]: must be a letter, then letters, digits and dashes, 31 at most',
    ],
    [
      'a strange clock',
      { clients: 'clients: { A: { clock: wal } }' },
      '3:24: clients.A.clock: "wal" is not allowed; did you mean wall? must be monotonic or wall',
    ],
    ['a strange source', { source: 'source: ftp://x' }, '7:9: source: must be a web address'],
    [
      'an unknown property',
      { expect: 'expect: { mutual-exclusoin: ok }' },
      '5:11: expect.mutual-exclusoin: is not a key here; did you mean mutual-exclusion? allowed: mutual-exclusion, critical-section,',
    ],
    [
      'an unknown verdict',
      { expect: 'expect: { availability: maybe }' },
      '5:25: expect.availability: "maybe" is not allowed; must be ok or violated',
    ],
    ['no expectation', { expect: 'expect: {}' }, '5:9: expect: must name at least one property'],
    ['no workload', { workload: 'workload: []' }, '4:11: workload: must not be empty'],
    [
      'a misspelled step',
      { workload: 'workload: [{ steps: [relaese] }]' },
      '4:22: workload[0].steps[0]: must be one of acquire, using, work, extend, rest, close (each with its value), write or release, not "relaese"; did you mean release?',
    ],
    [
      'a misspelled step with a value',
      { workload: 'workload: [{ steps: [{ wrok: 1s }] }]' },
      '4:22: workload[0].steps[0]: must be one of acquire, using, work, extend, rest, close (each with its value), write or release, not "wrok"; did you mean work?',
    ],
    [
      'a step that is empty',
      { workload: 'workload: [{ steps: [{ }] }]' },
      'must be one of acquire, using, work, extend, rest, close (each with its value), write or release, not a mapping of keys',
    ],
    [
      'two steps in one',
      { workload: 'workload: [{ steps: [{ work: 1s, rest: 1s }] }]' },
      '4:22: workload[0].steps[0]: must be one of acquire,',
    ],
    [
      'a step without its part',
      { workload: 'workload: [{ steps: [{ acquire: { ttl: 1s } }] }]' },
      '4:33: workload[0].steps[0].acquire.resource: is missing; must be a name, or a list of names that are locked together',
    ],
    [
      'a wrong part of a step',
      { workload: 'workload: [{ steps: [{ acquire: { resource: r, tll: 1s } }] }]' },
      '4:48: workload[0].steps[0].acquire.tll: is not a key here; did you mean ttl? allowed: resource, ttl,',
    ],
    [
      'no fault',
      { faults: 'faults: [{ fault: partiton }]' },
      '7:19: faults[0].fault: "partiton" is not allowed; did you mean partition? must be partition, partition-shape,',
    ],
    [
      'a fault without its kind',
      { faults: 'faults: [{ at: 1s }]' },
      '7:10: faults[0].fault: is missing; must be partition, partition-shape,',
    ],
    ['a fault as a text', { faults: 'faults: [crash]' }, '7:10: faults[0]: must be a mapping of keys, not "crash"'],
    [
      'a key of another fault',
      { faults: 'faults: [{ fault: flush, nodes: n1, for: 1s }]' },
      '7:37: faults[0].for: is not a key here; allowed: fault, nodes, at, after',
    ],
    [
      'a fault without its part',
      { faults: 'faults: [{ fault: clock-jump, nodes: n1 }]' },
      '7:10: faults[0].by: is missing; must be a duration such as 250us',
    ],
    ['no nodes', { faults: 'faults: [{ fault: flush, nodes: [] }]' }, '7:33: faults[0].nodes: must not be empty'],
    [
      'a number for nodes',
      { faults: 'faults: [{ fault: flush, nodes: 1 }]' },
      '7:33: faults[0].nodes: must be a node, a list of nodes, all, minority, majority, held, resource, or { heldBy: client }, not 1',
    ],
    [
      'holders without a client',
      { faults: 'faults: [{ fault: flush, nodes: { heldby: A } }]' },
      '7:35: faults[0].nodes.heldby: is not a key here; did you mean heldBy? allowed: heldBy, count',
    ],
    [
      'no event',
      { faults: 'faults: [{ fault: flush, nodes: n1, after: { event: acquire-grant } }]' },
      '"acquire-grant" is not allowed; did you mean acquire-granted? must be acquire-invoked,',
    ],
    [
      'a strange count',
      { happened: 'happened: [{ event: key-lost, atLeast: -1 }]' },
      '7:40: happened[0].atLeast: must be at least 0, not -1',
    ],
  ])('%s', (_what, changes, message) => {
    const found = problems(scenarioText(changes));
    expect(found.join('\n')).toContain(`${FILE}:`);
    expect(found.join('\n')).toContain(message);
  });

  it('says of a value only the first thing that is wrong with it', () => {
    expect(problems(scenarioText({ limit: 'limit: soon' }))).toHaveLength(1);
  });

  it('lists everything at once, in the order of the file', () => {
    const text = scenarioText({
      title: 'titel: x',
      settings: 'settings: { nodes: 0, ttl: x }',
      expect: 'expect: { availability: ok, a: ok }',
    });
    expect(problems(text).map((line) => line.split(': ')[0])).toEqual([
      `${FILE}:1:1`,
      `${FILE}:1:1`,
      `${FILE}:2:20`,
      `${FILE}:2:28`,
      `${FILE}:5:29`,
    ]);
  });

  it('stops listing before it fills the screen', () => {
    const keys = Array.from({ length: 60 }, (_, index) => `key${index}: 1`).join('\n');
    const lines = problems(scenarioText({ keys }));
    expect(lines).toHaveLength(51);
    expect(lines.at(-1)).toBe(`${FILE}: and 10 more problems`);
  });
});

describe('a name', () => {
  it.each(['', 'a b', '../a', '.hidden', 'a.b', '-a', 'ä', 'a'.repeat(65), 'index.html'])('%j is none', (name) => {
    expect(problems(scenarioText(), name)).toEqual([
      `${FILE}: the file's name makes no scenario name; it must be letters, digits, - and _ (64 at most, the first no - or _), then .yaml`,
    ]);
  });
});
