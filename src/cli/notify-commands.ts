/** Commands about notifications: they list the webhooks, and send one of them a test message. */
import type { Command } from 'commander';
import { createNotification } from '../domain/notifications/notification.js';
import { didYouMean } from '../domain/text/suggest.js';
import { printable } from '../domain/text/text.js';
import { CommandError, print, printJson, USAGE_EXIT_CODE, type SetExitCode } from './output.js';

interface NotifyOptions {
  readonly file?: string;
  readonly json?: boolean;
}

/** The message was not taken: refused, or no answer. */
const NOT_DELIVERED_EXIT_CODE = 1;

/** Adds `runbook notify ls` and `runbook notify test`. */
export function addNotifyCommands(program: Command, setExitCode: SetExitCode): void {
  const notify = program.command('notify').description('webhooks that runs notify: ls, test');
  const withFile = (command: Command) =>
    command
      .option('--file <file>', 'the notifications file; default: RUNBOOK_NOTIFICATIONS')
      .option('--json', 'print JSON');
  withFile(notify.command('ls')).description('list the webhooks and the events of each').action(list);
  withFile(notify.command('test').argument('<name>', 'a webhook of the file'))
    .description('send a test message and show the answer; exit code 0 if it was taken, 1 if not')
    .action(async (name: string, options: NotifyOptions) => setExitCode(await test(name, options)));
}

async function list(options: NotifyOptions): Promise<void> {
  const { webhooks } = await load(options.file);
  const rows = webhooks.map(({ name, kind, host, secrets, on }) => ({
    name,
    kind,
    host,
    signed: secrets.length > 0,
    on,
  }));
  if (options.json === true) {
    printJson({ webhooks: rows });
    return;
  }
  const width = (key: 'name' | 'kind' | 'host') => Math.max(...rows.map((row) => row[key].length));
  const [names, kinds, hosts] = [width('name'), width('kind'), width('host')];
  for (const { name, kind, host, on } of rows)
    print(`${name.padEnd(names)}  ${kind.padEnd(kinds)}  ${host.padEnd(hosts)}  ${on.join(', ')}`);
}

/** @returns the exit code */
async function test(name: string, options: NotifyOptions): Promise<number> {
  const { webhooks, proxyFor } = await load(options.file);
  const names = webhooks.map((each) => each.name);
  if (!names.includes(name))
    throw new CommandError(
      'UnknownWebhook',
      `There is no webhook "${name}". Use one of: ${names.join(', ')}.${didYouMean(name, names)}`,
    );
  const { createNotifier } = await import('../notifications/notifier.js');
  const atMs = Date.now();
  const notification = createNotification({
    event: 'test',
    runId: 'none',
    runbook: 'none',
    targets: [],
    summary: `This is a test of the webhook ${name}. No run is concerned, and there is nothing to do.`,
    atMs,
    about: `${name}/${atMs}`,
  });
  const [delivery] = await createNotifier(webhooks, { proxyFor }).deliver(notification, { names: [name] });
  if (delivery === undefined) throw new Error('the notifier returned nothing');
  const { webhook, result, detail } = delivery;
  if (options.json === true) printJson({ webhook, result, detail });
  else print(`${webhook}: ${result}. ${printable(detail)}`);
  return result === 'delivered' ? 0 : NOT_DELIVERED_EXIT_CODE;
}

async function load(given: string | undefined) {
  const [{ loadClientConfig }, { readWebhooks }] = await Promise.all([
    import('../config/config.js'),
    import('../notifications/read-webhooks.js'),
  ]);
  const { notificationsFile, webhookSecrets, proxyFor } = loadClientConfig(process.env);
  const file = given ?? notificationsFile;
  if (file === undefined) {
    const message = 'No notifications file is named. Give --file FILE, or set RUNBOOK_NOTIFICATIONS';
    throw new CommandError('NoNotificationsFile', message);
  }
  const read = await readWebhooks(file, webhookSecrets);
  if (Array.isArray(read))
    throw new CommandError('InvalidNotifications', 'The notifications file has problems:', USAGE_EXIT_CODE, read);
  return { webhooks: read.webhooks, proxyFor };
}
