import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileError, ScenarioError } from './load-error.ts';
import { nearest } from './load-hints.ts';
import { parseScenario } from './load-text.ts';
import type { Scenario } from './schema.ts';

/** Where the scenarios live that need no path: the project's own, wherever the process was started. */
export const GALLERY_FOLDER = fileURLToPath(new URL('../../scenarios', import.meta.url));

const EXTENSION = /\.ya?ml$/i;
const LARGEST_BYTES = 1024 * 1024;

/** A scenario, and the file that it came from. */
export interface LoadedScenario {
  readonly scenario: Scenario;
  /** Absolute. */
  readonly path: string;
}

/**
 * The scenario of this name in the gallery, or that of the file at this path: what contains a slash or ends in .yaml or .yml is a path,
 * taken from the working directory. Throws a ScenarioError that says everything that is wrong with it.
 */
export function loadScenario(reference: string): Scenario {
  return loadScenarioFile(reference).scenario;
}

/** As loadScenario, with the path of the file. */
export function loadScenarioFile(reference: string): LoadedScenario {
  if (isPath(reference)) {
    const path = resolve(reference);
    const name = basename(path).replace(EXTENSION, '');
    return { scenario: parseScenario(readText(path, reference), reference, name), path };
  }
  const names = galleryNames();
  if (!names.includes(reference)) throw fileError(reference, unknownName(reference, names));
  const path = join(GALLERY_FOLDER, `${reference}.yaml`);
  const file = relative('', path);
  return { scenario: parseScenario(readText(path, file), file, reference), path };
}

/** The names of all scenarios of the gallery, sorted. */
export function galleryNames(): readonly string[] {
  let files: readonly string[];
  try {
    files = readdirSync(GALLERY_FOLDER);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return files
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

function isPath(reference: string): boolean {
  return reference.includes('/') || reference.includes(sep) || EXTENSION.test(reference);
}

function unknownName(reference: string, names: readonly string[]): string {
  const meant = nearest(reference, names);
  const question = meant === null ? '' : `did you mean ${meant}? `;
  return `there is no scenario of this name; ${question}distrilock list shows all names, and a path to a file of your own contains a / or ends in .yaml`;
}

function readText(path: string, file: string): string {
  const bytes = readBytes(path, file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw fileError(file, 'is not UTF-8 text; save it in that encoding', { cause });
  }
}

function readBytes(path: string, file: string): Buffer {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) throw fileError(file, 'is a directory; name a scenario file in it');
    // A pipe or a device may never end.
    if (!stats.isFile()) throw fileError(file, 'is not a regular file; copy the scenario into one');
    if (stats.size > LARGEST_BYTES) {
      throw fileError(file, 'is larger than 1 MiB, which no scenario needs; is it the right file?');
    }
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof ScenarioError) throw cause;
    throw fileError(file, unreadable((cause as NodeJS.ErrnoException).code ?? String(cause)), { cause });
  }
}

function unreadable(code: string): string {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file; check the path (it is taken from the working directory)';
    case 'EACCES':
    case 'EPERM':
      return 'must not be read by this user; change its permissions';
    default:
      return `cannot be opened (${code}); check the path`;
  }
}
