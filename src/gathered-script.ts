import type { ScriptRequest } from './requests.ts';
import {
  ACQUIRE,
  ACQUIRE_GUARDED,
  ACQUIRE_GUARDED_WITH_TOKEN,
  ACQUIRE_WITH_TOKEN,
  ADMIT,
  COMMIT,
  EXTEND,
  INSPECT,
  RELEASE,
  type Script,
} from './scripts.ts';

/** A script as a part of another: what names it there, and how many keys and arguments are its own. */
export interface ScriptPart {
  readonly name: string;
  readonly script: Script;
  readonly keyCount: number;
  readonly argumentCount: number;
}

/** Every script that can be a part. */
export const SCRIPT_PARTS: readonly ScriptPart[] = [
  { name: 'acquire', script: ACQUIRE, keyCount: 1, argumentCount: 2 },
  { name: 'acquire-token', script: ACQUIRE_WITH_TOKEN, keyCount: 2, argumentCount: 3 },
  { name: 'acquire-guarded', script: ACQUIRE_GUARDED, keyCount: 3, argumentCount: 4 },
  { name: 'acquire-guarded-token', script: ACQUIRE_GUARDED_WITH_TOKEN, keyCount: 4, argumentCount: 5 },
  { name: 'commit', script: COMMIT, keyCount: 2, argumentCount: 2 },
  { name: 'extend', script: EXTEND, keyCount: 1, argumentCount: 2 },
  { name: 'release', script: RELEASE, keyCount: 1, argumentCount: 1 },
  { name: 'inspect', script: INSPECT, keyCount: 1, argumentCount: 0 },
  { name: 'admit', script: ADMIT, keyCount: 2, argumentCount: 1 },
];

/** The name of a script as a part. */
const PART_NAMES: ReadonlyMap<Script, string> = new Map(SCRIPT_PARTS.map(({ script, name }) => [script, name]));

/** How many arguments of a script are its own where many of one kind travel together: the first, if it has any. The others they share. */
const OWN_ARGUMENTS = 1;

/**
 * The words of a call that runs many scripts, from the text or the name of {@link GATHERED} on. Scripts of one kind that follow each other and share their further
 * arguments are told these once: each word costs client and server time.
 */
export function wordsOfGathered(
  text: string,
  parts: readonly { readonly request: ScriptRequest }[],
): (string | number)[] {
  const words: (string | number)[] = [text, 0];
  for (const { request } of parts) for (const key of request.keys) words.push(key);
  words[1] = words.length - 2;
  let previous: ScriptRequest | null = null;
  let countPlace = 0;
  for (const { request } of parts) {
    const { script, args } = request;
    if (previous?.script === script && sharesFurtherArguments(previous.args, args)) {
      (words[countPlace] as number) += 1;
    } else {
      countPlace = words.push(PART_NAMES.get(script) as string, 1) - 1;
      for (let place = OWN_ARGUMENTS; place < args.length; place += 1) words.push(args[place] as string | number);
    }
    if (args.length > 0) words.push(args[0] as string | number);
    previous = request;
  }
  return words;
}

function sharesFurtherArguments(args: ScriptRequest['args'], others: ScriptRequest['args']): boolean {
  for (let place = OWN_ARGUMENTS; place < args.length; place += 1) if (args[place] !== others[place]) return false;
  return true;
}

/** The script as a function: its KEYS and ARGV are what it is called with. Only those that are called are made. */
function branchOf({ name, script, keyCount, argumentCount }: ScriptPart, place: number): string {
  return `  ${place === 0 ? 'if' : 'elseif'} name == '${name}' then
    return ${keyCount}, ${argumentCount}, function(KEYS, ARGV)${script.lua}end
`;
}

/**
 * Many scripts in one call. KEYS: those of each, one after the other. ARGV, for each run of scripts of one kind: their name, how many they are, the
 * arguments that they share, all but the first, and then the first of each. Answers an array with what each answers; for one that fails, an array with
 * nothing but the error's text, and the others run all the same.
 */
export const GATHERED: Script = {
  lua: `
local function part(name)
${SCRIPT_PARTS.map(branchOf).join('')}  end
end
local all, words, run = KEYS, ARGV, pcall
local answers, keys, arguments = {}, {}, {}
local key, word, last = 0, 1, #words
while word <= last do
  local name, count = words[word], tonumber(words[word + 1])
  local keyCount, argumentCount, script = part(name)
  word = word + 2
  for place = 2, argumentCount do
    arguments[place] = words[word]
    word = word + 1
  end
  for each = 1, count do
    for place = 1, keyCount do
      keys[place] = all[key + place]
    end
    key = key + keyCount
    if argumentCount > 0 then
      arguments[1] = words[word]
      word = word + 1
    end
    local succeeds, answer = run(script, keys, arguments)
    if type(answer) == 'table' and answer.err then
      answer = { answer.err }
    elseif not succeeds then
      answer = { tostring(answer) }
    end
    answers[#answers + 1] = answer
  end
end
return answers
`,
  sha1: '3d3dcde58763a2ea787e88e7f1ff9b9b17b4df13',
};
