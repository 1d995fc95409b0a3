import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../history/event.ts';
import { OutputError } from '../../results/output-error.ts';
import { realStory, whyNoRealRuns } from './real-testing.ts';

const obstacle = whyNoRealRuns();
const title = 'a real run whose disk is full';

describe.skipIf(obstacle !== null)(obstacle === null ? title : `${title}: ${obstacle}`, { timeout: 40_000 }, () => {
  const { TMPDIR: usualFolder } = process.env;
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'distrilock-full-'));
    // Of its own, for other runs of this machine have theirs in the usual one.
    process.env['TMPDIR'] = join(folder, 'temporary');
    mkdirSync(tmpdir());
  });

  afterEach(() => {
    if (usualFolder === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = usualFolder;
    rmSync(folder, { recursive: true });
  });

  it('ends long before its limit, by the name of the file and the remedy, and leaves nothing', async () => {
    const parts = join(folder, 'parts');
    mkdirSync(parts);
    const file = join(parts, 'run.ndjson');
    symlinkSync('/dev/full', file);
    const events: HistoryEvent[] = [];
    const error: unknown = await realStory(
      { limit: '600s' },
      { partsFolder: parts, onEvents: (stretch) => events.push(...stretch) },
    ).catch((reason: unknown) => reason);
    const message = `${file}: the disk is full; free some space, or write somewhere else`;
    expect(error).toBeInstanceOf(OutputError);
    expect(error).toMatchObject({ message });
    expect(events.at(-1)).toMatchObject({ type: 'run-ended', reason: `failed: ${message}` });
    expect(readdirSync(folder)).toEqual(['temporary']);
    expect(readdirSync(tmpdir())).toEqual([]);
  });

  it('and takes no history keeps the parts of it, and says where', async () => {
    const parts = join(folder, 'parts');
    const file = join(folder, 'history.ndjson');
    const run = realStory(
      { limit: '500ms' },
      {
        partsFolder: parts,
        onEvents: () => {
          throw new OutputError(file, 'the disk is full');
        },
      },
    );
    await expect(run).rejects.toThrow(
      new OutputError(file, `the disk is full; what was seen of the run is kept in ${parts}`),
    );
    expect(readFileSync(join(parts, 'run.ndjson'), 'utf8')).toContain('"run-started"');
    expect(readFileSync(join(parts, 'client-A.ndjson'), 'utf8')).toContain('"acquire-granted"');
    expect(readdirSync(tmpdir())).toEqual([]);
  });

  it('and has no room for the parts of the history does not begin, and leaves nothing', async () => {
    writeFileSync(join(folder, 'file'), '');
    const run = realStory({}, { partsFolder: join(folder, 'file', 'parts') });
    await expect(run).rejects.toThrow(OutputError);
    expect(readdirSync(tmpdir())).toEqual([]);
  });
});
