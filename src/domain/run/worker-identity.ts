/** How a worker names itself to Temporal, so that workers of different projects on one task queue are noticed. Pure. */
import { isPolled, type Poller } from './run-facts.js';

const PROJECT = / project (\S+)$/;

/** `4242@host project 0123…`: process, computer and ServiceStage project. */
export function workerIdentity(pid: number, host: string, projectId: string): string {
  return `${pid}@${host} project ${projectId}`;
}

/**
 * The other projects whose workers polled so recently that they may still run, each once. Workers that do not name their project, which are those
 * of older versions, are passed over.
 */
export function otherProjects(pollers: readonly Poller[], projectId: string, nowMs: number): readonly string[] {
  const recent = pollers.filter((poller) => isPolled([poller], nowMs));
  const projects = recent.flatMap(({ identity }) => PROJECT.exec(identity)?.[1] ?? []);
  return [...new Set(projects)].filter((project) => project !== projectId).toSorted();
}
