/** A task queue belongs to one ServiceStage project. This is how a worker notices that workers of another one share it. */
import type { Client } from '@temporalio/client';
import { withinCallLimit } from '../activities/time-limits.js';
import { readPollers } from '../client/run-facts.js';
import { ConfigurationError } from '../config/environment.js';
import { otherProjects } from '../domain/run/worker-identity.js';

/** How long an answer is believed, so that a burst of runs asks once. Chosen. */
const BELIEVED_MS = 5_000;

/** Where a worker takes its work from, and for which project. */
interface Place {
  readonly taskQueue: string;
  readonly projectId: string;
}

/**
 * @returns what reads the other projects on the task queue. Where Temporal does not report in time who polls, there are none
 */
export function projectsBeside(client: Client, { taskQueue, projectId }: Place): () => Promise<readonly string[]> {
  let asked: { readonly atMs: number; readonly answer: Promise<readonly string[]> } | null = null;
  const ask = async () => {
    try {
      const pollers = await withinCallLimit(client, () => readPollers(client, taskQueue));
      return otherProjects(pollers, projectId, Date.now());
    } catch {
      return [];
    }
  };
  return () => {
    if (asked === null || Date.now() - asked.atMs > BELIEVED_MS) asked = { atMs: Date.now(), answer: ask() };
    return asked.answer;
  };
}

/** A worker does not join the workers of another project. @throws ConfigurationError */
export async function requireOwnTaskQueue(client: Client, place: Place): Promise<void> {
  const others = await projectsBeside(client, place)();
  if (others.length === 0) return;
  throw new ConfigurationError([
    {
      code: 'shared-task-queue',
      place: `RUNBOOK_TASK_QUEUE ${place.taskQueue}`,
      found: `workers of project ${others.join(', ')} take work from it, and this one is configured for project ${place.projectId}`,
      remedy:
        'Give the workers of each project a task queue of their own. If the project of this queue was changed, stop its old workers and wait for two minutes',
    },
  ]);
}
