/** Commands for whoever writes files: the JSON schemas that editors complete against, and a runbook to begin with. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Argument, type Command } from 'commander';
import { CommandError, hint, print } from './output.js';

/** What `runbook schema` takes → the file of the package. */
const SCHEMAS = {
  runbook: 'runbook.schema.json',
  schedules: 'schedules.schema.json',
  alarms: 'alarms.schema.json',
} as const;
type SchemaName = keyof typeof SCHEMAS;

export function addNewCommands(program: Command): void {
  program
    .command('new')
    .argument('<name>', 'name of the runbook; the file is <name>.yaml')
    .description('write a runbook to begin with, and beside it the schema that its first line names')
    .option('--folder <folder>', 'where; created if it is not there', '.')
    .action(writeNew);
  program
    .command('schema')
    .addArgument(new Argument('[kind]', 'of which file').choices(Object.keys(SCHEMAS)).default('runbook'))
    .description('print a JSON schema, by which editors complete and check a file')
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
    // `wx`: a file that is there is never written over, also not one that appears just now.
    await writeFile(file, runbookText(name), { flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new CommandError('FileExists', `${file} is there already; nothing was written`);
  }
  const schemaFile = await writeSchema(folder);
  print(`Written: ${file}`);
  if (schemaFile !== null) print(`Written: ${schemaFile}, which editors complete and check against`);
  const option = relative('.', resolve(dirname(file))) === '' ? '.' : folder;
  hint(
    `Check it:    runbook validate ${file}\nUse it:      RUNBOOK_DIR=${option}, for workers and for this command; a running worker\n             has to be restarted with it, unless it reads that folder already`,
  );
}

/** Beside the runbook, since a path from there holds in every folder, on every machine, with any kind of install. @returns the file, `null` where it is up to date */
async function writeSchema(folder: string): Promise<string | null> {
  const file = join(folder, SCHEMAS.runbook);
  const schema = await readSchema('runbook');
  if ((await readFile(file, 'utf8').catch(() => null)) === schema) return null;
  await writeFile(file, schema);
  return file;
}

/** @throws CommandError for a name that a runbook cannot have, or that is taken */
async function refuseName(name: string): Promise<void> {
  const [{ isReservedName, NAME, NAME_REMEDY }, { BUILT_IN_DIRECTORY, findRunbook }, { loadClientConfig }] =
    await Promise.all([
      import('../domain/runbook/runbook.js'),
      import('../runbooks/catalogue.js'),
      import('../config/config.js'),
    ]);
  if (!NAME.test(name)) throw new CommandError('InvalidName', `"${name}" is not a valid name. ${NAME_REMEDY}`);
  if (isReservedName(name)) throw new CommandError('InvalidName', `"${name}" is a reserved name. Choose another one`);
  const found = await findRunbook(loadClientConfig(process.env).runbookDirectories, name);
  if (found.kind !== 'found') return;
  const where = found.file.startsWith(BUILT_IN_DIRECTORY) ? 'the built-in catalogue has it' : found.file;
  throw new CommandError(
    'NameTaken',
    `There is a runbook ${name} already: ${where}. Two of one name cannot be started`,
  );
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
