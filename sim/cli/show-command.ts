import type { Command } from 'commander';
import { relative } from 'node:path';
import { visibleLines, visibleText } from '../text/visible-text.ts';
import { type LoadedScenario, loadScenarioFile } from '../scenario/load.ts';
import { type Colors, colorsFor } from './console/colors.ts';
import type { Host } from './console/host.ts';
import { renderLines } from './console/lines.ts';
import { occurrenceText, scriptText, settingsText, timelineText } from '../scenario/scenario-text.ts';

const EXAMPLES = `
Examples:
  npx distrilock show kleppmann-gc-pause
  npx distrilock show ./my-settings.yaml --json`;

export function addShowCommand(program: Command, host: Host): void {
  program
    .command('show')
    .description('show a scenario: its settings, what happens when, what is expected, and the lesson')
    .argument('<scenario>', 'a name from the gallery, or the path of a scenario file')
    .option('--json', 'print the scenario as JSON, checked, with its defaults filled in and durations in milliseconds')
    .addHelpText('after', EXAMPLES)
    .action((reference: string, options: { json?: true }) => {
      const loaded = loadScenarioFile(reference);
      host.stdout.write(
        options.json === true ? asJson(loaded) : asText(loaded, colorsFor(host.stdout, host.environment)),
      );
    });
}

function asJson({ scenario, path }: LoadedScenario): string {
  return `${JSON.stringify({ ...scenario, file: relative('', path) }, null, 2)}\n`;
}

function asText({ scenario, path }: LoadedScenario, colors: Colors): string {
  const { name, title, workload, faults, happened, expect, lesson, source } = scenario;
  const sections: [string, readonly string[]][] = [
    ['Settings', renderLines(settingsText(scenario)).flat()],
    ['Workload', workload.map(scriptText)],
    ['Faults', timelineText(faults)],
    ['Must happen', happened.map(occurrenceText)],
    ['Expected', renderLines(Object.entries(expect)).flat()],
    ['Lesson', lesson.trimEnd().split('\n')],
    ['Source', source === undefined ? [] : [source].flat()],
    ['File', [relative('', path)]],
  ];
  const text = sections
    .filter(([, lines]) => lines.length > 0)
    .map(
      ([heading, lines]) =>
        `\n${colors.bold(heading)}\n${lines.map((line) => `  ${visibleLines(line)}`.trimEnd()).join('\n')}\n`,
    );
  return `${colors.bold(name)}: ${visibleText(title)}\n${text.join('')}`;
}
