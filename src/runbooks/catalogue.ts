/** The only reader of runbook files: YAML in, a runbook or every problem with file, line and column out. Every call reads the files again. */
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Problem } from '../domain/failures.js';
import type { Runbook } from '../domain/runbook/runbook.js';
import { FileError } from '../files/file-access.js';
import { listFolder, realFolder, type PassedOver } from '../files/list-folder.js';
import { problemOfKind } from '../yaml/file-kind.js';
import type { RunbookLookup } from './lookups.js';
import { readRunbook } from './runbook-problems.js';
import { readYamlFile, YamlDocument, type FileKind } from '../yaml/yaml-document.js';

/** The catalogue that comes with the package: beside `dist/` and beside `src/`. */
export const BUILT_IN_DIRECTORY = fileURLToPath(new URL('../../runbooks', import.meta.url));
const RUNBOOK_FILE: FileKind = {
  noun: 'runbook',
  begin: 'Begin with name: and title:',
  size: 'A runbook is a page of YAML',
};

/** A runbook of the catalogue or of a folder. */
export interface ListedRunbook {
  readonly name: string;
  readonly title: string;
  readonly file: string;
  readonly runbook: Runbook;
  readonly builtIn: boolean;
}

/** The runbook of that name from the given folders and the built-in catalogue. */
export async function findRunbook(directories: readonly string[], name: string): Promise<RunbookLookup> {
  const { files, folders, problems } = await runbookFiles(directories);
  // The name comes from hand-typed workflow types: it is only ever compared, never made into a path.
  const matching = files.filter((file) => nameOf(file) === name);
  const [file, second] = matching;
  if (file === undefined)
    return problems.length > 0
      ? { kind: 'broken', problems }
      : { kind: 'unknown', known: [...new Set(files.map(nameOf))].sort(), folders };
  if (second !== undefined) return { kind: 'broken', problems: [duplicateName(name, matching)] };
  const loaded = await loadFile(file);
  return Array.isArray(loaded) ? { kind: 'broken', problems: loaded } : { kind: 'found', runbook: loaded, file };
}

/** Every runbook that loads, by name, every problem of those that do not, the folders that were read, and what they hold besides. `calendars` as for `parseRunbook`. */
export async function listRunbooks(
  directories: readonly string[],
  calendars: readonly string[] | null = null,
): Promise<{ runbooks: ListedRunbook[]; passedOver: PassedOver[]; problems: Problem[]; folders: string[] }> {
  const { files, folders, passedOver, problems } = await runbookFiles(directories);
  const builtIn = await realFolder(BUILT_IN_DIRECTORY);
  const runbooks: ListedRunbook[] = [];
  for (const file of files) {
    const same = files.filter((other) => nameOf(other) === nameOf(file));
    if (same.length > 1) {
      if (same[0] === file) problems.push(duplicateName(nameOf(file), same));
      continue;
    }
    const loaded = await loadFile(file, calendars);
    if (Array.isArray(loaded)) problems.push(...loaded);
    else
      runbooks.push({
        name: loaded.name,
        title: loaded.title,
        file,
        runbook: loaded,
        builtIn: file.startsWith(builtIn),
      });
  }
  return {
    runbooks: runbooks.sort((left, right) => left.name.localeCompare(right.name)),
    passedOver,
    problems,
    folders,
  };
}

/** Folders are compared by real path, so that the catalogue is never loaded twice. */
async function runbookFiles(
  directories: readonly string[],
): Promise<{ files: string[]; folders: string[]; passedOver: PassedOver[]; problems: Problem[] }> {
  const builtIn = await realFolder(BUILT_IN_DIRECTORY);
  const real = new Set([builtIn]);
  const problems: Problem[] = [];
  const noFolder = (place: string, error: unknown) =>
    problems.push({
      code: 'no-folder',
      place,
      found: `this folder of RUNBOOK_DIR ${reasonOf(error)}`,
      remedy: 'Create it or fix RUNBOOK_DIR',
    });
  for (const directory of directories) {
    await realFolder(directory).then(
      (path) => real.add(path),
      (error: unknown) => noFolder(directory, error),
    );
  }
  const files: string[] = [];
  const passedOver: PassedOver[] = [];
  for (const directory of real) {
    try {
      const listed = await listFolder(directory, { extensions: ['.yaml', '.yml'] });
      files.push(...listed.files);
      if (directory !== builtIn) passedOver.push(...listed.passedOver);
    } catch (error) {
      noFolder(directory, error);
    }
  }
  return { files, folders: [...real], passedOver, problems };
}

function reasonOf(error: unknown): string {
  if (error instanceof FileError) return error.message;
  throw error;
}

function nameOf(file: string): string {
  return basename(file).replace(/\.ya?ml$/i, '');
}

function duplicateName(name: string, files: readonly string[]): Problem {
  return {
    code: 'duplicate-name',
    place: files.join(' and '),
    found: `two files are called ${name}`,
    remedy: 'Rename one of them; a name is a workflow type',
  };
}

/** Reads one file. `calendars` as for `parseRunbook`. @returns the runbook, or every problem at once */
export async function loadFile(file: string, calendars: readonly string[] | null = null): Promise<Runbook | Problem[]> {
  const text = await readYamlFile(file, RUNBOOK_FILE);
  return typeof text === 'string' ? parseRunbook(text, file, calendars) : text;
}

/**
 * @param calendars names of those that are known; `null`: names of calendars are not checked, as a worker does only while it plans
 * @returns the runbook, or every problem at once
 */
export function parseRunbook(
  text: string,
  file: string,
  calendars: readonly string[] | null = null,
): Runbook | Problem[] {
  const document = YamlDocument.parse(text, file, RUNBOOK_FILE);
  if (Array.isArray(document)) return document;
  const otherKind = problemOfKind(document.raw, 'runbook');
  if (otherKind !== null) return document.placed([otherKind]);
  const { problems, runbook } = readRunbook(document.raw, basename(file), calendars);
  return problems.length > 0 || runbook === null ? document.placed(problems) : runbook;
}
