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
export const PART_NAMES: ReadonlyMap<Script, string> = new Map(SCRIPT_PARTS.map(({ script, name }) => [script, name]));

/** The script as a function: its KEYS and ARGV are what it is called with. */
function functionOf({ name, script, keyCount, argumentCount }: ScriptPart): string {
  return `  ['${name}'] = { ${keyCount}, ${argumentCount}, function(KEYS, ARGV)${script.lua}end },\n`;
}

/**
 * Many scripts in one call. KEYS: those of each part, one after the other. ARGV: for each part its name and its arguments. Answers an array with what
 * each part answers; for a part that fails, an array with nothing but the error's text, and the others run all the same.
 */
export const GATHERED: Script = {
  lua: `
local parts = {
${SCRIPT_PARTS.map(functionOf).join('')}}
local answers = {}
local key, argument = 0, 1
while argument <= #ARGV do
  local part = parts[ARGV[argument]]
  local keys, arguments = {}, {}
  for place = 1, part[1] do
    keys[place] = KEYS[key + place]
  end
  for place = 1, part[2] do
    arguments[place] = ARGV[argument + place]
  end
  key = key + part[1]
  argument = argument + 1 + part[2]
  local succeeds, answer = pcall(part[3], keys, arguments)
  if type(answer) == 'table' and answer.err then
    answer = { answer.err }
  elseif not succeeds then
    answer = { tostring(answer) }
  end
  answers[#answers + 1] = answer
end
return answers
`,
  sha1: 'd060330bfdb9c878805ee9fc8ae78843d45fd376',
};
