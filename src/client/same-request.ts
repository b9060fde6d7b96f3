/**
 * Decides whether a run was started by the same request, from the arguments of its own start, so that the client and
 * its language do not matter.
 */
import type { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import type { StartArguments } from '../domain/contract.js';

/** These decide what a run does. Who asks and why may differ from one try to the next. */
const COMPARED = [
  'targets',
  'inputs',
  'dryRun',
  'window',
  'freeze',
  'waitAtMost',
  'resumes',
] as const satisfies readonly (keyof StartArguments)[];

/**
 * The keys in which two start arguments differ. The order of targets and calendars makes no difference, and neither
 * do numbers written as text.
 */
export function differencesBetween(given: unknown, wanted: StartArguments): string[] {
  const before: Partial<StartArguments> = typeof given === 'object' && given !== null ? given : {};
  return COMPARED.filter((key) => canonical(key, before[key]) !== canonical(key, wanted[key]));
}

function canonical(key: (typeof COMPARED)[number], value: unknown): string {
  // An absent value is the same as none.
  if (value === undefined || value === false) return '';
  const text = ordered(key === 'targets' || key === 'freeze' ? sorted(value) : value);
  return text === '{}' || text === '[]' ? '' : text;
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? [...new Set(value.map(String))].sort() : value;
}

/** JSON with sorted keys. Scalars become text, because a command line has only text and a worker accepts both. */
function ordered(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(ordered).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(String(value));
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${ordered(item)}`).join(',')}}`;
}

/** A run's start arguments from the first event of its history, still encoded. */
export async function inputOfRun(client: Client, workflowId: string, runId: string): Promise<Payload[]> {
  const { history } = await client.connection.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  return history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
}
