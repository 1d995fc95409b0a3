import type { Command } from 'commander';
import { relative } from 'node:path';
import { visibleLines, visibleText } from '../text/visible-text.ts';
import { galleryNames, type LoadedScenario, loadScenarioFile } from '../scenario/load.ts';
import { ScenarioError } from '../scenario/load-error.ts';
import { EXIT } from './console/exit-codes.ts';
import type { Host } from './console/host.ts';
import { renderLines } from './console/lines.ts';
import type { SetExitCode } from './program.ts';

const EXAMPLES = `
Examples:
  npx distrilock list
  npx distrilock list --json | jq -r '.[].name'`;

export function addListCommand(program: Command, host: Host, setExitCode: SetExitCode): void {
  program
    .command('list')
    .description('list the scenarios of the gallery, and the verdicts that they expect')
    .option('--json', 'print JSON: name, title, expect and file of each')
    .addHelpText('after', EXAMPLES)
    .action((options: { json?: true }) => {
      const { scenarios, errors } = loadGallery();
      host.stdout.write(options.json === true ? asJson(scenarios) : asTable(scenarios));
      for (const error of errors) host.stderr.write(`${visibleLines(error.message)}\n`);
      if (errors.length > 0) setExitCode(EXIT.badInput);
    });
}

/** All scenarios of the gallery; one that is wrong does not hide the others. */
function loadGallery(): { scenarios: LoadedScenario[]; errors: ScenarioError[] } {
  const scenarios: LoadedScenario[] = [];
  const errors: ScenarioError[] = [];
  for (const name of galleryNames()) {
    try {
      scenarios.push(loadScenarioFile(name));
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error;
      errors.push(error);
    }
  }
  return { scenarios, errors };
}

function asJson(scenarios: readonly LoadedScenario[]): string {
  const list = scenarios.map(({ scenario: { name, title, expect }, path }) => ({
    name,
    title,
    expect,
    file: relative('', path),
  }));
  return `${JSON.stringify(list, null, 2)}\n`;
}

function asTable(scenarios: readonly LoadedScenario[]): string {
  const rows = scenarios.map(({ scenario: { name, title, expect } }) => {
    const verdicts = Object.entries(expect).map(([property, verdict]) => `${property} ${verdict}`);
    return [name, visibleText(title), verdicts.join('\n')];
  });
  return `${renderLines([['scenario', 'title', 'expected'], ...rows])
    .flat()
    .join('\n')}\n`;
}
