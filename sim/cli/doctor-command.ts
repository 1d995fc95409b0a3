import type { Command } from 'commander';
import { visibleText } from '../text/visible-text.ts';
import { missingOf, type Part } from '../testbed/readiness.ts';
import { paths } from './console/arguments.ts';
import { type Diagnosis, diagnoseBackends } from './backends.ts';
import { type Colors, colorsFor } from './console/colors.ts';
import { EXIT } from './console/exit-codes.ts';
import type { Host } from './console/host.ts';
import { orInterruption } from './console/interruption.ts';
import { renderLines } from './console/lines.ts';
import type { SetExitCode } from './program.ts';

const EXAMPLES = `
The exit code is 0 if nothing is missing, and 3 if a backend cannot run here, or not every scenario, or only if
an image can be pulled.

Examples:
  npx distrilock doctor
  npx distrilock doctor --redis-server /opt/redis-6.2/redis-server
  npx distrilock doctor --json | jq '.backends[] | select(.canRun) | .name'`;

export function addDoctorCommand(program: Command, host: Host, setExitCode: SetExitCode): void {
  program
    .command('doctor')
    .description('find out which backends can run here, what is missing, and what would put it right')
    .option(
      '--redis-server <path>',
      'look at this redis-server, and not at that of the PATH; may be given several times',
      paths,
    )
    .option('--json', 'print JSON: name, canRun and parts of each backend')
    .addHelpText('after', EXAMPLES)
    .action(async (options: { json?: true; redisServer?: readonly string[] }) => {
      const backends = await orInterruption(diagnoseBackends(options.redisServer ?? [], host), host.signal);
      const colors = colorsFor(host.stdout, host.environment);
      host.stdout.write(
        options.json === true ? `${JSON.stringify({ backends }, null, 2)}\n` : asText(backends, colors),
      );
      const isWhole = backends.every((backend) => missingOf(backend).length === 0);
      setExitCode(isWhole ? EXIT.asExpected : EXIT.unknown);
    });
}

function asText(backends: readonly Diagnosis[], colors: Colors): string {
  const sections = backends.map((backend) => {
    const { name, parts } = backend;
    const found = parts.flatMap((part) => ('problem' in part ? [] : [foundCells(part)]));
    const missing = missingOf(backend).flatMap(({ name, problem, remedy, blocks }) => [
      `  ${colors.yellow(`${name}: ${visibleText(problem)}`)}${blocks === 'some' ? ' (some scenarios need it)' : ''}`,
      `    Remedy: ${visibleText(remedy)}`,
    ]);
    const lines = found.length === 0 ? [] : renderLines(found).flat();
    return [`${colors.bold(name)}: ${verdict(backend, colors)}`, ...lines.map((line) => `  ${line}`), ...missing];
  });
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function verdict(diagnosis: Diagnosis, colors: Colors): string {
  if (!diagnosis.canRun) return colors.red('cannot run here');
  if (missingOf(diagnosis).some(({ blocks }) => blocks === 'unless-pulled'))
    return colors.yellow('may be able to run here: it needs a pull');
  if (missingOf(diagnosis).some(({ blocks }) => blocks === 'some'))
    return colors.yellow('can run here, but not every scenario');
  return colors.green('can run here');
}

function foundCells(part: Exclude<Part, { readonly problem: string }>): string[] {
  const { name, version, place } = part;
  return [name, visibleText(version ?? 'found'), visibleText(place ?? '')];
}
