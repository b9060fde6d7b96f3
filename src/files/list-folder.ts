/** The only way to list a folder of files that people edit: what editors and file managers leave behind is passed over, and named. */
import { readdir, realpath } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { fileAccess, FileError } from './file-access.js';
import { FILE_TIMEOUT_MS, toFileError } from './read-file.js';

/** Chosen: far more than anyone keeps by hand; a folder beyond it is the wrong one. */
const MOST_ENTRIES = 10_000;

/** An entry that is not read. */
export interface PassedOver {
  readonly path: string;
  /** `a lock of an editor` */
  readonly why: string;
}

/** What a folder holds. Paths begin with the folder as it was given; both lists are sorted by name. */
export interface FolderListing {
  readonly files: readonly string[];
  readonly passedOver: readonly PassedOver[];
}

/** How a folder is listed. */
export interface ListOptions {
  /** Endings that are read, with the dot, in lower case. Upper case in names counts as lower case. */
  readonly extensions: readonly string[];
  /** Default: 10 s. */
  readonly timeoutMs?: number;
}

/** Lists files by their names alone: whether one is a regular file shows when it is read. @throws FileError */
export async function listFolder(
  folder: string,
  { extensions, timeoutMs = FILE_TIMEOUT_MS }: ListOptions,
): Promise<FolderListing> {
  const names = await fileAccess.run(resolve(folder), timeoutMs, () => asFileError(readdir(folder)));
  if (names.length > MOST_ENTRIES) throw new FileError('tooLarge', `has more than ${MOST_ENTRIES} entries`);
  const files: string[] = [];
  const passedOver: PassedOver[] = [];
  for (const name of names.sort()) {
    const path = join(folder, name);
    const why = leftBehind(name) ?? otherEnding(name, extensions);
    if (why === null) files.push(path);
    else if (!isOfConfigMap(name)) passedOver.push({ path, why });
  }
  return { files, passedOver };
}

/** The path of a folder without links, so that one is recognised by two names. @throws FileError */
export function realFolder(folder: string): Promise<string> {
  return fileAccess.run(resolve(folder), FILE_TIMEOUT_MS, () => asFileError(realpath(folder)));
}

/** Why a name is none that a person gave. Backups (`x.yaml~`, `x.yaml.bak`, `x.orig`) have another ending anyway. */
function leftBehind(name: string): string | null {
  if (name.startsWith('.#')) return 'a lock of an editor';
  if (name.startsWith('~$')) return 'a lock of an office program';
  if (name.startsWith('._')) return 'what macOS keeps beside a file';
  if (/^\..*\.sw[a-z]$/.test(name)) return 'a swap file of an editor';
  if (name.startsWith('.')) return 'a hidden file';
  return /^#.*#$|~$/.test(name) ? 'a backup of an editor' : null;
}

function otherEnding(name: string, extensions: readonly string[]): string | null {
  return extensions.includes(extname(name).toLowerCase())
    ? null
    : `its name does not end in ${extensions.join(' or ')}`;
}

/** A mounted ConfigMap keeps its files in `..2026_11_30_…`, behind the link `..data`, and links each by its own name. */
function isOfConfigMap(name: string): boolean {
  return name.startsWith('..');
}

function asFileError<Value>(answer: Promise<Value>): Promise<Value> {
  return answer.catch((error: unknown) => {
    throw toFileError(error);
  });
}
