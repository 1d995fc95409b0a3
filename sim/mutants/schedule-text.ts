import { scriptText, settingsText, timelineText } from '../scenario/scenario-text.ts';
import type { Scenario } from '../scenario/schema.ts';

/** Settings that are told even where nobody chose them. */
const ALWAYS = new Set(['nodes', 'ttl']);
const OPTIONAL = [
  'retryCount',
  'retryDelay',
  'retryJitter',
  'backoff',
  'deadline',
  'extensionLimit',
  'clockDriftFactor',
  'nodeTimeout',
] as const;

/** A run in words, a line each: its settings as far as they matter, what clients do, and the faults. */
export function scheduleText(scenario: Scenario): string[] {
  const chosen = chosenSettings(scenario);
  const settings = settingsText(scenario).filter(([name]) => chosen.has(name));
  return [
    settings.map(([name, value]) => `${name} ${value}`).join(', '),
    ...scenario.workload.map(scriptText),
    ...timelineText(scenario.faults),
  ];
}

function chosenSettings({ settings, clients, nodes, network }: Scenario): ReadonlySet<string> {
  const chosen = new Set(ALWAYS);
  for (const name of OPTIONAL) if (settings[name] !== undefined) chosen.add(name);
  if (settings.fencing) chosen.add('fencing');
  if (Object.values(clients).some(({ rate, wallOffset }) => rate !== 1 || wallOffset !== 0)) chosen.add('clients');
  if (nodes.persistence !== 'none') chosen.add('persistence');
  if (network.latency.maxMs > USUAL_LATENCY_MS) chosen.add('network');
  return chosen;
}

/** Slower than a scenario's network is unless it says otherwise. */
const USUAL_LATENCY_MS = 1;
