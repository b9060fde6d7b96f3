/** The answer to a mistyped command or option never suggests a command that acts. */
import { Command, CommanderError } from 'commander';
import { expect, it } from 'vitest';
import { suggestHarmless } from '../../../src/cli/suggestions.js';

function answerTo(words: readonly string[]): string {
  let answer = '';
  const program = new Command('runbook').exitOverride().configureOutput({ writeErr: (text) => (answer += text) });
  for (const name of ['list', 'show', 'validate', 'plan', 'watch', 'report', 'cancel', 'worker', 'gateway'])
    program.command(name).action(() => {});
  program
    .command('start')
    .argument('<name>')
    .option('--wait')
    .option('--window <duration>')
    .action(() => {});
  const schedule = program.command('schedule');
  for (const name of ['diff', 'list', 'next', 'pause', 'resume', 'run-now']) schedule.command(name).action(() => {});
  schedule
    .command('apply')
    .option('--overwrite <name>')
    .option('--json')
    .action(() => {});
  program
    .command('alarm')
    .command('log')
    .action(() => {});
  suggestHarmless(program);
  try {
    program.parse([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
  }
  return answer;
}

it.each([
  [['shwo'], 'Did you mean show?'],
  [['vaildate'], 'Did you mean validate?'],
  [['schedule', 'dif'], 'Did you mean diff?'],
  [['alarm', 'lgo'], 'Did you mean log?'],
  [['start', 'x', '--windw'], 'Did you mean --window?'],
  [['status'], 'runbook watch ID'],
  [['start', 'x', '--dry-run'], 'runbook plan NAME'],
  [['schedule', 'apply', '--dry-run'], 'runbook schedule diff FILE'],
])('%j is answered with a read-only command: %s', (words, text) => {
  expect(answerTo(words)).toContain(text);
});

it.each([
  [['strat']],
  [['starts']],
  [['cancle']],
  [['wokrer']],
  [['gatway']],
  [['schedule', 'aply']],
  [['schedule', 'pasue']],
  [['schedule', 'resum']],
  [['schedule', 'run-no']],
  [['schedule', 'apply', '--overwrit']],
])('%j is close only to commands that act, so there is no suggestion', (words) => {
  expect(answerTo(words)).toMatch(/^error: unknown (command|option) '[^']+'\n$/);
});
