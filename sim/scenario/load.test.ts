import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scenarioText } from './load-testing.ts';
import { GALLERY_FOLDER, galleryNames, loadScenario, loadScenarioFile } from './load.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-load-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('a path', () => {
  it('loads the file, and the scenario is called like it', () => {
    const path = write('my-own.yaml', scenarioText());
    expect(loadScenarioFile(path)).toMatchObject({ path, scenario: { name: 'my-own' } });
  });

  it('is what ends in .yml, without a slash', () => {
    expect(() => loadScenario('nothing-here.yml')).toThrow(
      'nothing-here.yml: there is no such file; check the path (it is taken from the working directory)',
    );
  });

  it('is taken from the working directory', () => {
    const path = write('near.yml', scenarioText());
    expect(loadScenario(relative('', path)).name).toBe('near');
  });

  it('may lead through a symbolic link', () => {
    symlinkSync(write('target.yaml', scenarioText()), join(folder, 'link.yaml'));
    expect(loadScenario(join(folder, 'link.yaml')).name).toBe('link');
  });

  it('names the file as it was given in every message', () => {
    const path = write('bad.yaml', 'title: 5\n');
    expect(() => loadScenario(path)).toThrow(`${path}:1:8: title: must be a text, not 5`);
  });

  it('takes a byte order mark for none', () => {
    expect(loadScenario(write('bom.yaml', `\u{FEFF}${scenarioText()}`)).name).toBe('bom');
  });

  it('takes the line ends of Windows', () => {
    expect(loadScenario(write('crlf.yaml', scenarioText().replaceAll('\n', '\r\n'))).name).toBe('crlf');
  });
});

describe('what is no scenario file', () => {
  it('a missing file', () => {
    const path = join(folder, 'missing.yaml');
    expect(() => loadScenario(path)).toThrow(`${path}: there is no such file; check the path`);
  });

  it('a path through a file', () => {
    const path = join(write('file', ''), 'a.yaml');
    expect(() => loadScenario(path)).toThrow(`${path}: there is no such file; check the path`);
  });

  it('a directory', () => {
    const path = join(folder, 'directory.yaml');
    mkdirSync(path);
    expect(() => loadScenario(path)).toThrow(`${path}: is a directory; name a scenario file in it`);
  });

  it('a device, which might never end', () => {
    expect(() => loadScenario('/dev/zero')).toThrow('/dev/zero: is not a regular file; copy the scenario into one');
  });

  it('an empty file', () => {
    const path = write('empty.yaml', '');
    expect(() => loadScenario(path)).toThrow(`${path}: is empty; a scenario needs at least title,`);
  });

  it('a file that is not UTF-8', () => {
    const path = write('latin1.yaml', Buffer.from('title: caf\xE9\n', 'latin1'));
    expect(() => loadScenario(path)).toThrow(`${path}: is not UTF-8 text; save it in that encoding`);
  });

  it('a file of more than 1 MiB', () => {
    const path = write('large.yaml', `${scenarioText()}#${'x'.repeat(1024 * 1024)}`);
    expect(() => loadScenario(path)).toThrow(`${path}: is larger than 1 MiB, which no scenario needs`);
  });

  it('a file whose name is no name of a scenario', () => {
    const path = write('my scenario.yaml', scenarioText());
    expect(() => loadScenario(path)).toThrow(`${path}: the file's name makes no scenario name`);
  });

  it('a symbolic link to itself', () => {
    const path = join(folder, 'circle.yaml');
    symlinkSync(path, path);
    expect(() => loadScenario(path)).toThrow(`${path}: cannot be opened (ELOOP); check the path`);
  });
});

describe('a name', () => {
  it.each(['no-such-scenario', 'constructor', '..', ''])('%j that the gallery does not have', (name) => {
    expect(() => loadScenario(name)).toThrow(`${name}: there is no scenario of this name; `);
  });

  it('finds the gallery from any working directory', () => {
    expect(relative(new URL('../..', import.meta.url).pathname, GALLERY_FOLDER)).toBe('scenarios');
  });
});

describe('the gallery', () => {
  it.each(galleryNames().map((name) => [name]))('%s is a good scenario', (name) => {
    expect(loadScenario(name).name).toBe(name);
  });
});
