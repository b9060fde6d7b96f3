/** What a worker checks and logs when it starts. */
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { listCalendars } from '../calendars/calendars.js';
import type { Config } from '../config/config.js';
import { ConfigurationError } from '../config/environment.js';
import { processMemory, workerSizes } from '../config/worker-sizes.js';
import { describeProblem } from '../domain/failures.js';
import { shellWord } from '../domain/text/shell-word.js';
import { proxyName } from '../network/proxies.js';
import { runbooksService } from '../nexus/service.js';
import { listRunbooks } from '../runbooks/catalogue.js';
import { missingSearchAttributes } from '../temporal/search-attributes.js';

/**
 * A worker refuses to start without them: a run that sets an attribute the namespace lacks would fail its workflow
 * task for ever.
 */
export async function requireSearchAttributes(client: Client): Promise<void> {
  const { namespace } = client.options;
  const missing = await missingSearchAttributes(client);
  if (missing.length === 0) return;
  const flags = missing.map(({ name, type }) => `--name ${name} --type ${type}`).join(' ');
  throw new ConfigurationError([
    {
      code: 'search-attributes',
      place: `namespace ${namespace}`,
      found: `it lacks the search attributes ${missing.map(({ name }) => name).join(', ')}, or has them with another type`,
      remedy: `Type: temporal operator search-attribute create --namespace ${namespace} ${flags}. On Temporal Cloud: create them in its console`,
    },
  ]);
}

/** Logs what the worker serves, and the problems of its runbooks and calendars. */
export async function sayReady(config: Config, log: Logger): Promise<void> {
  const { temporal, taskQueue, serviceStage, runbookDirectories, calendarDirectories, version } = config;
  const { runbooks, problems, passedOver } = await listRunbooks(runbookDirectories);
  const calendars = await listCalendars(calendarDirectories);
  for (const problem of problems)
    log.warn({ place: problem.place, problem: describeProblem(problem) }, 'a runbook file cannot be used');
  for (const problem of calendars.problems)
    log.warn({ place: problem.place, problem: describeProblem(problem) }, 'a calendar cannot be used');
  for (const { path, why } of [...passedOver, ...calendars.passedOver]) log.debug({ path, why }, 'file not read');
  const names = runbooks.map(({ name }) => name);
  const { address, proxy } = temporal;
  const { endpoint, projectId } = serviceStage;
  const proxies = { temporal: proxy, serviceStage: nameOfProxy(config, endpoint) };
  const sizes = workerSizes(processMemory(), config.sizes);
  const served = { address, namespace: temporal.namespace, taskQueue, endpoint, projectId, proxies, sizes, version };
  log.info({ ...served, runbooks: names, calendars: calendars.names }, 'worker ready');
  if (config.nexus) sayNexus(config, log);
}

/** No worker may create an endpoint: that takes the rights of an administrator of all namespaces. */
function sayNexus({ temporal: { namespace }, taskQueue }: Config, log: Logger): void {
  const target = `--target-namespace ${shellWord(namespace)} --target-task-queue ${shellWord(taskQueue)}`;
  const endpoint = `temporal operator nexus endpoint create --name runbooks ${target}`;
  const { name, operations } = runbooksService;
  log.info(
    { nexusService: name, operations: Object.keys(operations).join(', '), endpoint },
    'runbooks can be called as Nexus operations',
  );
}

function nameOfProxy({ proxyFor }: Config, endpoint: string): string | null {
  const proxy = proxyFor(new URL(endpoint));
  return proxy === null ? null : proxyName(proxy);
}
