/**
 * "Did you mean …?" for mistyped commands and options. Suggests only harmless ones, because people accept
 * suggestions without much thought.
 */
import type { Command } from 'commander';
import { suggest } from '../domain/text/suggest.js';

/** Commands that change nothing, by their words after `runbook`. `schedule` and `alarm` alone show their help. */
const HARMLESS_COMMANDS = [
  ...[
    'list',
    'show',
    'validate',
    'schema',
    'plan',
    'watch',
    'report',
    'replay',
    'doctor',
    'ls',
    'targets',
    'schedule',
    'alarm',
    'demo',
    'simulator',
  ],
  ...['schedule diff', 'schedule list', 'schedule next', 'alarm try', 'alarm log', 'notify', 'notify ls', 'help'],
];
/** Options that make a command do more than it does without them. */
const STRONG_OPTIONS = ['--overwrite'];

/** Words that other programs use, by what follows `runbook`; `start --dry-run` is a command and an option. */
const CALLED_ELSEWHERE: Readonly<Record<string, string>> = {
  status: '`runbook watch ID` shows a run that is under way, `runbook report ID` one that has ended',
  describe: '`runbook show NAME` shows a runbook, `runbook report ID` a run',
  ps: '`runbook ls` lists the runs',
  runs: '`runbook ls` lists the runs',
  runbooks: '`runbook list` lists the runbooks',
  lint: '`runbook validate` checks files',
  check: '`runbook validate` checks files',
  'dry-run': '`runbook plan NAME` shows what a run would do',
  version: '`runbook --version` shows it',
  'start --dry-run': '`runbook plan NAME` shows what a run would do',
  'schedule status': '`runbook schedule list` lists the schedules of a server',
  'schedule show': '`runbook schedule next` shows what comes, `runbook schedule list` what a server has',
  'schedule validate':
    '`runbook validate FILE` checks a schedule file, `runbook schedule diff FILE` compares it with a server',
  'schedule apply --dry-run': '`runbook schedule diff FILE` shows what apply would change',
  'alarm list': '`runbook alarm log` shows what came in',
  'alarm validate': '`runbook validate FILE` checks an alarms file',
};

/**
 * Replaces commander's suggestions, which include commands that change something, for a command and its subcommands.
 */
export function suggestHarmless(command: Command): void {
  command.showSuggestionAfterError(false).configureOutput({
    outputError: (text, write) => write(withSuggestion(text, command)),
  });
  for (const child of command.commands) suggestHarmless(child);
}

function withSuggestion(text: string, command: Command): string {
  const [, kind, word = ''] = /^error: unknown (command|option) '(.*)'\n?$/s.exec(text) ?? [];
  if (kind === undefined) return text;
  const words = wordsOf(command);
  const elsewhere = CALLED_ELSEWHERE[[...words, word].join(' ')];
  if (elsewhere !== undefined) return `${text.trimEnd()}\n(${elsewhere})\n`;
  const found = suggest(word, kind === 'command' ? harmlessCommands(command, words) : optionsOf(command));
  return found.length === 0 ? text : `${text.trimEnd()}\n(Did you mean ${found.join(' or ')}?)\n`;
}

/** `['schedule', 'diff']` for `runbook schedule diff`. */
function wordsOf(command: Command): string[] {
  return command.parent === null ? [] : [...wordsOf(command.parent), command.name()];
}

function harmlessCommands(command: Command, words: readonly string[]): string[] {
  return command.commands
    .map((child) => child.name())
    .filter((name) => HARMLESS_COMMANDS.includes([...words, name].join(' ')));
}

function optionsOf(command: Command): string[] {
  return command.options
    .flatMap(({ long }) => (typeof long === 'string' && !STRONG_OPTIONS.includes(long) ? [long] : []))
    .concat('--help');
}
