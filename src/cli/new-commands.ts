/** Commands for authors of files: print a JSON schema for editors, and write a first runbook. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Argument, type Command } from 'commander';
import { CommandError, hint, print } from './output.js';

/** Maps the argument of `runbook schema` to a file of the package. */
const SCHEMAS = {
  runbook: 'runbook.schema.json',
  schedules: 'schedules.schema.json',
  alarms: 'alarms.schema.json',
  notifications: 'notifications.schema.json',
} as const;
type SchemaName = keyof typeof SCHEMAS;

/** Adds `new` and `schema`. */
export function addNewCommands(program: Command): void {
  program
    .command('new')
    .argument('<name>', 'name of the runbook; the file is <name>.yaml')
    .description('create a simple runbook and the schema that editors use to check it')
    .option('--folder <folder>', 'where to write it; created if missing', '.')
    .action(writeNew);
  program
    .command('schema')
    .addArgument(new Argument('[kind]', 'kind of file').choices(Object.keys(SCHEMAS)).default('runbook'))
    .description('print a JSON schema that editors use to complete and check a file')
    .action(async (kind: SchemaName) => print((await readSchema(kind)).trimEnd()));
}

function readSchema(kind: SchemaName): Promise<string> {
  return readFile(fileURLToPath(new URL(`../../runbooks/${SCHEMAS[kind]}`, import.meta.url)), 'utf8');
}

async function writeNew(name: string, { folder }: { folder: string }): Promise<void> {
  await refuseName(name);
  const file = join(folder, `${name}.yaml`);
  await mkdir(folder, { recursive: true });
  try {
    // `wx` never overwrites an existing file, even one that was created a moment ago.
    await writeFile(file, runbookText(name), { flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new CommandError('FileExists', `${file} already exists; nothing was written`);
  }
  const schemaFile = await writeSchema(folder);
  print(`Written: ${file}`);
  if (schemaFile !== null) print(`Written: ${schemaFile}, the schema for editors`);
  const option = relative('.', resolve(dirname(file))) === '' ? '.' : folder;
  hint(
    `Check it:    runbook validate ${file}\nUse it:      RUNBOOK_DIR=${option}, for workers and for this command; restart a running worker\n             with it, unless it already reads that folder`,
  );
}

/**
 * Writes the schema beside the runbook, because a relative path from there works on every machine and with every
 * kind of install.
 * @returns the file, or `null` if it was up to date
 */
async function writeSchema(folder: string): Promise<string | null> {
  const file = join(folder, SCHEMAS.runbook);
  const schema = await readSchema('runbook');
  if ((await readFile(file, 'utf8').catch(() => null)) === schema) return null;
  await writeFile(file, schema);
  return file;
}

/** @throws CommandError if a runbook cannot have that name, or another one has it */
async function refuseName(name: string): Promise<void> {
  const [{ isReservedName, NAME, NAME_REMEDY }, { BUILT_IN_DIRECTORY, findRunbook }, { loadClientConfig }] =
    await Promise.all([
      import('../domain/runbook/names.js'),
      import('../runbooks/catalogue.js'),
      import('../config/config.js'),
    ]);
  if (!NAME.test(name)) throw new CommandError('InvalidName', `"${name}" is not a valid name. ${NAME_REMEDY}`);
  if (isReservedName(name)) throw new CommandError('InvalidName', `"${name}" is a reserved name. Choose another one`);
  const found = await findRunbook(loadClientConfig(process.env).runbookDirectories, name);
  if (found.kind !== 'found') return;
  const where = found.file.startsWith(BUILT_IN_DIRECTORY) ? 'in the built-in catalogue' : found.file;
  throw new CommandError('NameTaken', `There is already a runbook ${name}: ${where}. Names must be unique`);
}

function runbookText(name: string): string {
  return `# yaml-language-server: $schema=./${SCHEMAS.runbook}
name: ${name}
title: Restart an instance
description: When to use it, for people
steps:
  - action: restart
    verify: { within: 5m, stable: 10s }
`;
}
