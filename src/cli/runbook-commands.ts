/** Commands that read only local files: list, show, validate. They name the folders they read. */
import type { Command } from 'commander';
import type { Runbook } from '../domain/runbook/runbook.js';
import { describeProblem } from '../domain/failures.js';
import { printable } from '../domain/text/text.js';
import { CommandError, hint, print, printJson, USAGE_EXIT_CODE, type SetExitCode } from './output.js';
import { readCalendars } from './read-calendars.js';
import { printableFacts } from './terminal-text.js';
import { validateFiles } from './validate-files.js';

/** Adds `list`, `show` and `validate`. */
export function addRunbookCommands(program: Command, setExitCode: SetExitCode): void {
  program
    .command('list')
    .description('list the runbooks in the built-in catalogue and in RUNBOOK_DIR')
    .option('--verbose', 'also show which files in the folders are ignored, and why')
    .option('--json', 'as JSON')
    .action(async ({ verbose, json }: { verbose?: boolean; json?: boolean }) => {
      const { runbooks, problems, folders, passedOver } = await readCatalogue();
      const notRead = verbose === true ? [...passedOver, ...(await calendarsPassedOver())] : [];
      if (json === true) {
        printJson({
          runbooks: runbooks.map(({ name, title, file, builtIn }) => ({ name, title, file, builtIn })),
          problems,
          folders,
          ...(verbose === true ? { notRead } : {}),
        });
        return;
      }
      const width = Math.max(...runbooks.map(({ name }) => name.length));
      for (const { name, title } of runbooks) print(printable(`${name.padEnd(width)}  ${title}`));
      hint(`Read from ${folders.join(', ')}`);
      for (const { path, why } of notRead) hint(printable(`Not read: ${path}: ${why}`));
      const ofFolders = problems.filter(({ code }) => code === 'no-folder');
      for (const problem of ofFolders) hint(describeProblem(problem));
      const count = problems.length - ofFolders.length;
      if (count === 1) hint('1 problem in runbook files; `runbook validate` shows it');
      if (count > 1) hint(`${count} problems in runbook files; \`runbook validate\` shows them`);
    });
  program
    .command('show')
    .argument('<name>', 'name of a runbook')
    .description('show a runbook: its inputs, steps and file')
    .option('--json', 'as JSON')
    .action(async (name: string, { json }: { json?: boolean }) => {
      const found = await lookUp(name);
      if (json === true) printJson({ file: found.file, runbook: found.runbook });
      else print(`${describeRunbook(printableFacts(found.runbook))}\n\n# ${found.file}\n${await textOf(found.file)}`);
    });
  program
    .command('validate')
    .argument('[files...]', 'files of runbooks, schedules, alarms, notifications or calendars; default: all runbooks')
    .description(
      'check files, and the calendars that runbooks use if RUNBOOK_CALENDARS is set; reports every problem with line and column',
    )
    .option('--json', 'as JSON')
    .action(async (files: string[], { json }: { json?: boolean }) => {
      const calendars = await readCalendars();
      const { problems, checked, noun, namesCalendars } = await validateFiles(files, calendars);
      if (json === true) printJson({ checked, calendarsChecked: calendars.names !== null, problems });
      else if (problems.length === 0) print(checked === 1 ? `1 ${noun} is valid` : `${checked} ${noun}s are valid`);
      else for (const problem of problems) print(`${describeProblem(problem)} [${problem.code}]`);
      if (calendars.names === null && namesCalendars)
        hint('Calendar names were not checked, because RUNBOOK_CALENDARS is not set');
      setExitCode(problems.length === 0 ? 0 : USAGE_EXIT_CODE);
    });
}

async function readCatalogue() {
  const [{ listRunbooks }, { loadClientConfig }] = await Promise.all([
    import('../runbooks/catalogue.js'),
    import('../config/config.js'),
  ]);
  const { runbookDirectories } = loadClientConfig(process.env);
  return listRunbooks(runbookDirectories);
}

async function calendarsPassedOver() {
  const [{ listCalendars }, { loadClientConfig }] = await Promise.all([
    import('../calendars/calendars.js'),
    import('../config/config.js'),
  ]);
  return (await listCalendars(loadClientConfig(process.env).calendarDirectories)).passedOver;
}

async function lookUp(name: string): Promise<{ runbook: Runbook; file: string }> {
  const [{ findRunbook }, { loadClientConfig }, { describeUnknownRunbook }] = await Promise.all([
    import('../runbooks/catalogue.js'),
    import('../config/config.js'),
    import('../domain/runbook/unknown-runbook.js'),
  ]);
  const found = await findRunbook(loadClientConfig(process.env).runbookDirectories, name);
  if (found.kind === 'found') return found;
  if (found.kind === 'broken')
    throw new CommandError('InvalidRunbook', `The runbook ${name} has problems:`, USAGE_EXIT_CODE, found.problems);
  throw new CommandError('UnknownRunbook', describeUnknownRunbook(name, found));
}

async function textOf(file: string): Promise<string> {
  const [{ readSmallFile }, { LARGEST_FILE_BYTES }] = await Promise.all([
    import('../files/read-file.js'),
    import('../yaml/yaml-document.js'),
  ]);
  return (await readSmallFile(file, { maxBytes: LARGEST_FILE_BYTES })).trimEnd();
}

function describeRunbook({ name, title, description, inputs, targets, onCancel }: Runbook): string {
  const lines = [`${name}: ${title}`, ...(description === undefined ? [] : [description])];
  for (const [input, { type, default: byDefault, description: meaning }] of Object.entries(inputs)) {
    const rule = byDefault === undefined ? 'required' : `default ${byDefault === '' ? 'empty' : String(byDefault)}`;
    lines.push(`  --input ${input}=<${type}>  ${rule}${meaning === undefined ? '' : `; ${meaning}`}`);
  }
  lines.push(`  at most ${targets.max} target${targets.max === 1 ? '' : 's'}; on cancel: ${onCancel}`);
  return lines.join('\n');
}
