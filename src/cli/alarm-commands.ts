/** Commands about alarms: what an alarm would start, and what was decided. */
import type { Command } from 'commander';
import { UNMATCHED } from '../domain/alarms/alarm.js';
import { didYouMean } from '../domain/text/suggest.js';
import { printable } from '../domain/text/text.js';
import type { AlarmsConfig } from '../gateway/alarms-file/read-alarms-file.js';
import { loadAlarms } from './alarm-session.js';
import { integerBetween } from './options.js';
import { CommandError, hint, print, printJson, printPainted } from './output.js';
import { createColors } from './colors.js';
import { renderAlarmLog, renderPreviews } from './render-alarms.js';
import { withSession } from './session.js';

interface AlarmOptions {
  readonly file?: string;
  readonly json?: boolean;
}

/** Adds `runbook alarm try` and `runbook alarm log`. */
export function addAlarmCommands(program: Command): void {
  const alarm = program.command('alarm').description('alarms that start runs: try, log');
  const withFile = (command: Command) =>
    command.option('--file <file>', 'the alarms file; default: RUNBOOK_ALARMS').option('--json', 'print JSON');
  withFile(alarm.command('try').argument('<body>', 'a file with the body that a sender would send'))
    .description('show what the alarms in a body would start and why, or why not; calls no server')
    .option('--sender <name>', 'a sender of the alarms file; required if it has several')
    .action(tryBody);
  withFile(alarm.command('log'))
    .description('show the alarms that arrived, the decisions, the rules and the runs, newest first')
    .option('--rule <name>', `only this rule; ${UNMATCHED} for alarms that no rule matches`)
    .option('--limit <number>', 'the most lines to show', integerBetween(1, 100_000), 50)
    .action(log);
}

async function tryBody(bodyFile: string, options: AlarmOptions & { sender?: string }): Promise<void> {
  const alarms = await loadAlarms(options.file, 'unread');
  const [{ makeSender }, { previewAlarm }] = await Promise.all([
    import('../gateway/senders/make-sender.js'),
    import('../gateway/preview-alarm.js'),
  ]);
  const { name, settings } = chosenSender(alarms, options.sender);
  const reading = makeSender(name, settings).readUnchecked(await bodyIn(bodyFile), Date.now());
  if (reading.kind === 'refused' || reading.kind === 'unavailable')
    throw new CommandError('UnreadableBody', `The sender ${name} would refuse this body: ${printable(reading.what)}`);
  if (reading.kind === 'confirmation') {
    if (options.json === true) printJson({ sender: name, confirmation: reading.topicUrn, alarms: [] });
    else print(`A confirmation of the subscription to ${printable(reading.topicUrn)}; it starts nothing`);
    return;
  }
  const previews = reading.alarms.map((each) => previewAlarm(each, alarms.rules));
  for (const note of reading.notes) hint(printable(note));
  if (options.json === true) printJson({ sender: name, notes: reading.notes, alarms: previews });
  else printPainted(renderPreviews(previews, createColors()));
}

function chosenSender({ senders }: AlarmsConfig, given: string | undefined): AlarmsConfig['senders'][number] {
  const names = senders.map(({ name }) => name);
  const [only] = senders;
  const found = given === undefined && senders.length === 1 ? only : senders.find(({ name }) => name === given);
  if (found !== undefined) return found;
  throw new CommandError(
    'UnknownSender',
    given === undefined
      ? `The file has several senders. Choose one: --sender ${names.join(' or --sender ')}`
      : `There is no sender "${given}". Use one of: ${names.join(', ')}.${didYouMean(given, names)}`,
  );
}

async function bodyIn(file: string): Promise<Buffer> {
  const [{ FileError }, { readSmallFileBytes }, { MOST_BODY_BYTES }] = await Promise.all([
    import('../files/file-access.js'),
    import('../files/read-file.js'),
    import('../network/request-body.js'),
  ]);
  try {
    return await readSmallFileBytes(file, { maxBytes: MOST_BODY_BYTES });
  } catch (error) {
    if (error instanceof FileError) throw new CommandError('UnreadableBody', `${file} ${error.message}`);
    throw error;
  }
}

async function log(options: AlarmOptions & { rule?: string; limit: number }): Promise<void> {
  const { owner, rules } = await loadAlarms(options.file, 'unread');
  const names = [...rules.map(({ name }) => name), UNMATCHED];
  const { rule, limit } = options;
  if (rule !== undefined && !names.includes(rule))
    throw new CommandError(
      'UnknownRule',
      `There is no rule "${rule}". Use one of: ${names.join(', ')}.${didYouMean(rule, names)}`,
    );
  const [{ readAlarmLog }, { Calls }] = await Promise.all([
    import('../gateway/rule-client.js'),
    import('../temporal/calls.js'),
  ]);
  const chosen = rule === undefined ? names : [rule];
  const lines = await withSession(options, ({ client }) => readAlarmLog(new Calls(client), owner, chosen));
  const shown = lines.slice(0, limit);
  if (options.json === true) printJson({ owner, alarms: shown });
  else printPainted(renderAlarmLog(shown, createColors()));
}
