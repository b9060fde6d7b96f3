/** `runbook gateway`: serves the HTTP entry for alarms until it is stopped. */
import type { Command } from 'commander';
import type { GatewayOptions } from '../gateway/gateway.js';
import type { AlarmsConfig } from '../gateway/alarms-file/read-alarms-file.js';
import { loadAlarms } from './alarm-session.js';
import { untilStopped } from './interruptible.js';
import { integerBetween } from './options.js';
import { hint, print, printJsonLine } from './output.js';

interface GatewayCommandOptions {
  readonly file?: string;
  readonly host: string;
  readonly port: number;
  readonly dryRun?: boolean;
  readonly taskQueue?: string;
  readonly json?: boolean;
}

/** Adds `runbook gateway`. */
export function addGatewayCommands(program: Command): void {
  program
    .command('gateway')
    .description('receive alarms over HTTP and start runs by the rules of an alarms file, until it is stopped')
    .option('--file <file>', 'the alarms file; default: RUNBOOK_ALARMS')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 picks a free one', integerBetween(0, 65_535), 8095)
    .option('--dry-run', 'answer what an alarm would start and why; start nothing and confirm no subscription')
    .option('--task-queue <name>', 'task queue of the workers; default: RUNBOOK_TASK_QUEUE or runbooks')
    .option('--json', 'print one JSON object with the address, senders and rules first')
    .action(runGateway);
}

async function runGateway(options: GatewayCommandOptions): Promise<void> {
  const alarms = await loadAlarms(options.file, 'read');
  const [
    { RunbookClient },
    { Calls },
    { loadClientConfig },
    { dataConverterOf },
    { createLog },
    { ThrottledLog },
    { traceCommand },
  ] = await Promise.all([
    import('../client/runbook-client.js'),
    import('../temporal/calls.js'),
    import('../config/config.js'),
    import('../config/data-converter.js'),
    import('../logging/log.js'),
    import('../logging/throttled-log.js'),
    import('./trace-command.js'),
  ]);
  const config = loadClientConfig(process.env);
  const { temporal, taskQueue, logLevel, logFormat, proxyFor, warnings, secretFiles, health, codec } = config;
  const log = createLog({ level: logLevel, format: logFormat });
  secretFiles.reportTo(({ level, text }) => log[level]({ what: text }, 'secret file'));
  if (options.dryRun === true)
    return serve(alarms, { ...options, warnings }, { temporal: null, log, proxyFor, health });
  const throttledLog = new ThrottledLog(log);
  const tracing = await traceCommand(config, 'runbook-gateway', (what) =>
    throttledLog.warn('tracing', { what }, 'traces cannot be exported'),
  );
  const { clientInterceptors, traceDelivery, followOutgoing } = tracing;
  const { connectionOptions, namespace } = temporal;
  const converter = await dataConverterOf(codec, ({ level, text }) => log[level]({ what: text }, 'encryption keys'));
  // Starts even if Temporal is unreachable: senders are then asked to retry.
  const runbooks = RunbookClient.lazy({ ...connectionOptions, ...converter, namespace, clientInterceptors });
  const calls = new Calls(runbooks.client);
  const reached = { calls, taskQueue: options.taskQueue ?? taskQueue };
  try {
    await serve(
      alarms,
      { ...options, warnings },
      { temporal: reached, log, proxyFor, health, traceDelivery, followOutgoing },
    );
  } finally {
    // In this order: a retry of the SDK on a closed connection would end the process.
    await calls.close();
    await runbooks.close();
    await tracing.stop();
  }
}

async function serve(
  alarms: AlarmsConfig,
  { host, port, json, warnings }: GatewayCommandOptions & { readonly warnings: readonly string[] },
  given: Omit<GatewayOptions, 'alarms' | 'host' | 'port'>,
): Promise<void> {
  const { startGateway } = await import('../gateway/gateway.js');
  const gateway = await startGateway({ alarms, host, port, ...given });
  const dryRun = given.temporal === null;
  if (json === true) printJsonLine(announcement(gateway.url, alarms, dryRun));
  else print(`Alarms are accepted at ${gateway.url}/alarms/<sender>${dryRun ? '; dry run: nothing is started' : ''}`);
  // The log begins after that line, which programs read as the first one.
  const { log } = given;
  log.info({ dryRun, ...served(alarms) }, 'gateway ready');
  for (const warning of warnings) log.warn({ warning }, 'configuration warning');
  const { healthPort } = gateway;
  if (healthPort !== null) log.info({ port: healthPort }, 'probes and metrics are served');
  await untilStopped();
  await gateway.close();
  hint('The gateway has stopped');
}

function announcement(url: string, { owner, senders, rules }: AlarmsConfig, dryRun: boolean): object {
  return {
    url,
    dryRun,
    owner,
    senders: senders.map(({ name, settings }) => ({ name, kind: settings.kind, url: `${url}/alarms/${name}` })),
    rules: rules.map(({ name }) => name),
  };
}

function served({ owner, senders, rules }: AlarmsConfig): object {
  return {
    owner,
    senders: senders.map(({ name, settings }) => `${name} (${settings.kind})`),
    rules: rules.map(({ name }) => name),
  };
}
