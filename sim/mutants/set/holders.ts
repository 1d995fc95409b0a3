import type { Mutant } from '../mutant.ts';

const NODE = 'sim/testbed/model-node/model-node.ts';

/** Extensions and releases that do too much, and nodes that run scripts with a check missing. */
export const HOLDERS: readonly Mutant[] = [
  {
    name: 'release-without-comparing',
    broken: 'a release deletes the key whoever owns it',
    patches: [
      {
        file: NODE,
        find: 'if (entry?.value !== command.value) return ABSENT;\n    this.noteWrite(',
        replace: 'if (entry === undefined) return ABSENT;\n    this.noteWrite(',
      },
    ],
  },
  {
    name: 'acquire-overwrites',
    broken: 'a node stores a value whether or not another is there (SET without NX)',
    patches: [
      {
        file: NODE,
        find: 'if (entry !== undefined && (entry.value !== value || (fresh && isPlain))) return HELD;',
        replace: '',
      },
      { file: NODE, find: 'if (fresh && entry !== undefined) return HELD;', replace: '' },
    ],
  },
  {
    name: 'key-without-expiry',
    broken: 'a node keeps the key until somebody releases it (SET without PX)',
    patches: [
      {
        file: NODE,
        find: 'Math.floor(nowMs) + ttlMs',
        replace: 'Math.floor(nowMs) + 1_000_000 * ttlMs',
      },
    ],
  },
  {
    name: 'extension-recreates',
    broken: 'an extension makes the key anew where it has expired',
    patches: [
      {
        file: NODE,
        find: 'if (entry?.value !== command.value) return ABSENT;\n    const expiresAtMs = Math.floor(nowMs) + command.ttlMs;',
        replace: `const expiresAtMs = Math.floor(nowMs) + command.ttlMs;
          if (entry === undefined) {
            this.put(command.key, command.value, expiresAtMs, nowMs, trueUs);
            return EXTENDED;
          }
          if (entry.value !== command.value) return ABSENT;`,
      },
    ],
  },
  {
    name: 'extension-without-comparing',
    broken: 'an extension prolongs the key whoever owns it',
    patches: [
      {
        file: NODE,
        find: 'if (entry?.value !== command.value) return ABSENT;\n    const expiresAtMs',
        replace: 'if (entry === undefined) return ABSENT;\n    const expiresAtMs',
      },
    ],
  },
  {
    name: 'extension-shortens',
    broken: 'an extension by less than what is left shortens the life of the key',
    patches: [{ file: NODE, find: 'if (expiresAtMs > entry.expiresAtMs) this.put(', replace: 'this.put(' }],
  },
  {
    name: 'extension-without-quorum',
    broken: 'an extension counts whatever the nodes say',
    patches: [
      {
        file: 'src/lock.ts',
        find: 'this.judgeExtension(granted,',
        replace: 'this.judgeExtension(true || granted,',
      },
    ],
  },
  {
    name: 'extension-validity-from-the-end',
    broken: 'the validity of an extension is counted from the last reply',
    patches: [
      {
        file: 'src/lock.ts',
        find: 'this.judgeExtension(granted, extendedUntilMs,',
        replace: 'this.judgeExtension(granted, validUntilMs(this.now(), ttl, options.clockDriftFactor),',
      },
    ],
  },
  {
    name: 'extension-ignores-drift',
    broken: 'an extended lock is valid for the whole time to live',
    patches: [
      {
        file: 'src/lock.ts',
        find: 'validUntilMs(this.now(), ttl, options.clockDriftFactor)',
        replace: 'this.now() + ttl',
      },
    ],
  },
  {
    name: 'extension-adds-up',
    broken: 'an extension adds its time to what is left, instead of counting from now',
    patches: [
      {
        file: 'src/lock.ts',
        find: 'validUntilMs(this.now(), ttl, options.clockDriftFactor)',
        replace: 'this.#validUntilMs + ttl',
      },
    ],
  },
  {
    name: 'failed-extension-deletes',
    broken: 'an extension that fails takes the lock off the nodes while its holder still relies on it',
    patches: [
      {
        file: 'src/lock.ts',
        find: 'if (this.isOver() && !this.#givenBack) this.#tenure.clear();',
        replace: 'this.#tenure.clear();',
      },
    ],
  },
  {
    name: 'release-always-confirmed',
    broken: 'a release succeeds whatever the nodes say',
    patches: [
      {
        file: 'src/lock.ts',
        find: 'if (confirmed || this.isOver()) {',
        replace: 'if (confirmed || !this.isOver() || this.isOver()) {',
      },
    ],
  },
  {
    name: 'release-always-rejected',
    broken: 'a release fails whatever the nodes say',
    patches: [
      { file: 'src/lock.ts', find: 'if (confirmed || this.isOver()) {', replace: 'if (confirmed && this.isOver()) {' },
    ],
  },
  {
    name: 'release-of-what-is-over-fails',
    broken: 'a release of a lock that is over fails if nodes keep silent',
    patches: [{ file: 'src/lock.ts', find: 'if (confirmed || this.isOver()) {', replace: 'if (confirmed) {' }],
  },
  {
    name: 'absent-is-not-released',
    broken: 'a release counts only nodes that still held the value',
    patches: [
      {
        file: 'src/tenure.ts',
        find: "return kind === 'released' || kind === 'absent';",
        replace: "return kind === 'released';",
      },
    ],
  },
  {
    name: 'extension-never-works',
    broken: 'an extension fails whatever the nodes say',
    patches: [
      { file: 'src/lock.ts', find: 'this.judgeExtension(granted,', replace: 'this.judgeExtension(false && granted,' },
    ],
  },
  {
    name: 'extension-of-no-use',
    broken: 'an extension that was granted leaves the lock as it was',
    patches: [
      { file: 'src/lock.ts', find: 'this.#validUntilMs = Math.max(this.#validUntilMs, extendedUntilMs);', replace: '' },
    ],
  },
  {
    name: 'late-extension-clears-nothing',
    broken: 'an extension that fails when the lock is over leaves on the nodes what it prolonged there',
    patches: [
      { file: 'src/lock.ts', find: 'if (this.isOver() && !this.#givenBack) this.#tenure.clear();', replace: '' },
    ],
  },
  {
    name: 'extends-what-is-over',
    broken: 'an extension of a lock that is over is tried all the same',
    patches: [
      {
        file: 'src/lock.ts',
        find: `if (this.isOver())
      return new ExpiredError(\`Cannot extend \${name}: it has expired`,
        replace: `if (Number.isNaN(this.#validUntilMs))
      return new ExpiredError(\`Cannot extend \${name}: it has expired`,
      },
    ],
  },
  {
    name: 'extends-what-is-over-meanwhile',
    broken: 'an extension that a quorum grants when the lock is over succeeds',
    patches: [
      {
        file: 'src/lock.ts',
        find: `if (this.isOver())
      return new ExpiredError(\`Cannot extend \${name}: it expired meanwhile`,
        replace: `if (Number.isNaN(this.#validUntilMs))
      return new ExpiredError(\`Cannot extend \${name}: it expired meanwhile`,
      },
    ],
  },
  {
    name: 'extension-refused-when-unreachable',
    broken: 'an extension that too few nodes answered fails as if the lock were lost',
    patches: [
      {
        file: 'src/lock.ts',
        find: 'if (!granted && round.lacksQuorum()) {',
        replace: 'if (!granted && Number.isNaN(this.#validUntilMs)) {',
      },
    ],
  },
  {
    name: 'extension-of-one-resource',
    broken: 'of several resources, the first only is extended',
    patches: [
      {
        file: 'src/round.ts',
        find: 'this.send(place, commands[place % this.keyCount] as LockCommand, receive);',
        replace: `const isLeftOut = commands[0]?.kind === 'extend' && place % this.keyCount > 0;
          if (isLeftOut) this.receive({ kind: 'extended' }, place);
          else this.send(place, commands[place % this.keyCount] as LockCommand, receive);`,
      },
    ],
  },
  {
    name: 'extends-what-was-released',
    broken: 'a lock that was given back can be extended',
    patches: [
      {
        file: 'src/lock.ts',
        find: 'if (this.#givenBack) return new ExtensionRefusedError(`Cannot extend ${name}: it was released`, resources, []);',
        replace: '',
      },
    ],
  },
  {
    name: 'extension-outlives-release',
    broken: 'an extension that a quorum grants when the lock was given back meanwhile succeeds',
    patches: [
      {
        file: 'src/lock.ts',
        find: `if (this.#givenBack)
      return new ExtensionRefusedError(\`Cannot extend \${name}: it was released meanwhile`,
        replace: `if (Number.isNaN(this.#validUntilMs))
      return new ExtensionRefusedError(\`Cannot extend \${name}: it was released meanwhile`,
      },
    ],
  },
  {
    name: 'extension-limit-ignored',
    broken: 'a lock can be extended without end, whatever its Redlock was told',
    patches: [
      {
        file: 'src/lock.ts',
        find: 'this.#extensions >= extensionLimit)',
        replace: 'this.#extensions < 0)',
      },
    ],
  },
  {
    name: 'one-extension-more',
    broken: 'a lock can be extended once more than its Redlock was told',
    patches: [
      {
        file: 'src/lock.ts',
        find: 'this.#extensions >= extensionLimit)',
        replace: 'this.#extensions > extensionLimit)',
      },
    ],
  },
  {
    name: 'failed-extensions-count',
    broken: 'extensions that fail count towards the limit',
    patches: [{ file: 'src/lock.ts', find: 'this.#extensions -= 1;', replace: '' }],
  },
  {
    name: 'second-release-asks-again',
    broken: 'a release of what was released asks the nodes again',
    patches: [{ file: 'src/lock.ts', find: 'if (this.#releasing !== null) return this.#releasing;', replace: '' }],
  },
];
