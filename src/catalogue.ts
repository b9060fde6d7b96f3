/** The only reader of runbook files: YAML in, a runbook or every problem with file, line and column out. Reads anew at each call. */
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments, isMap, isScalar, type Document } from 'yaml';
import { checkRunbook } from './domain/runbook-checks.js';
import { MOST_PROBLEMS, type Problem } from './domain/failures.js';
import { Runbook } from './domain/runbook.js';
import { problemsOfIssues, takeOutUnsupported, type Path } from './runbook-problems.js';

/** The catalogue that comes with the package: beside `dist/` and beside `src/`. */
export const BUILT_IN_DIRECTORY = fileURLToPath(new URL('../runbooks', import.meta.url));
/** Far larger than any runbook; a file beyond it is a mistake. */
const LARGEST_FILE_BYTES = 256 * 1024;

export interface ListedRunbook {
  readonly name: string;
  readonly title: string;
  readonly file: string;
  readonly runbook: Runbook;
  readonly builtIn: boolean;
}

export type RunbookLookup =
  | { readonly kind: 'found'; readonly runbook: Runbook; readonly file: string }
  | { readonly kind: 'unknown'; readonly known: readonly string[] }
  | { readonly kind: 'broken'; readonly problems: readonly Problem[] };

/** The runbook of that name from the given folders and the built-in catalogue. */
export async function findRunbook(directories: readonly string[], name: string): Promise<RunbookLookup> {
  const { files, problems } = await runbookFiles(directories);
  // The name comes from hand-typed workflow types: it is only ever compared, never made into a path.
  const matching = files.filter((file) => nameOf(file) === name);
  const [file, second] = matching;
  if (file === undefined)
    return problems.length > 0
      ? { kind: 'broken', problems }
      : { kind: 'unknown', known: [...new Set(files.map(nameOf))].sort() };
  if (second !== undefined) return { kind: 'broken', problems: [standsTwice(name, matching)] };
  const loaded = await loadFile(file);
  return Array.isArray(loaded) ? { kind: 'broken', problems: loaded } : { kind: 'found', runbook: loaded, file };
}

/** Every runbook that loads, by name, and every problem of those that do not. */
export async function listRunbooks(
  directories: readonly string[],
): Promise<{ runbooks: ListedRunbook[]; problems: Problem[] }> {
  const { files, problems } = await runbookFiles(directories);
  const builtIn = await realpath(BUILT_IN_DIRECTORY);
  const runbooks: ListedRunbook[] = [];
  for (const file of files) {
    const same = files.filter((other) => nameOf(other) === nameOf(file));
    if (same.length > 1) {
      if (same[0] === file) problems.push(standsTwice(nameOf(file), same));
      continue;
    }
    const loaded = await loadFile(file);
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
  return { runbooks: runbooks.sort((left, right) => left.name.localeCompare(right.name)), problems };
}

export async function validateFile(file: string): Promise<Problem[]> {
  const loaded = await loadFile(file);
  return Array.isArray(loaded) ? loaded : [];
}

/** Folders are compared by real path, so that the catalogue is never loaded twice. */
async function runbookFiles(directories: readonly string[]): Promise<{ files: string[]; problems: Problem[] }> {
  const real = new Set([await realpath(BUILT_IN_DIRECTORY)]);
  const problems: Problem[] = [];
  for (const directory of directories) {
    try {
      real.add(await realpath(directory));
    } catch {
      problems.push({
        code: 'no-folder',
        place: directory,
        found: 'this folder of RUNBOOK_DIR does not exist',
        remedy: 'Create it or mend RUNBOOK_DIR',
      });
    }
  }
  const files: string[] = [];
  for (const directory of real) {
    const entries = await readdir(directory).catch(() => []);
    files.push(
      ...entries
        .filter((entry) => /\.ya?ml$/.test(entry))
        .sort()
        .map((entry) => join(directory, entry)),
    );
  }
  return { files, problems };
}

function nameOf(file: string): string {
  return basename(file).replace(/\.ya?ml$/, '');
}

function standsTwice(name: string, files: readonly string[]): Problem {
  return {
    code: 'name-stands-twice',
    place: files.join(' and '),
    found: `two files are called ${name}`,
    remedy: 'Rename one of them; a name is a workflow type',
  };
}

async function loadFile(file: string): Promise<Runbook | Problem[]> {
  const problem = (code: string, found: string, remedy: string): Problem[] => [{ code, place: file, found, remedy }];
  let text: string;
  try {
    if ((await stat(file)).size > LARGEST_FILE_BYTES)
      return problem('too-large', 'the file is larger than 256 KiB', 'A runbook is a page of YAML');
    text = await readFile(file, 'utf8');
  } catch (error) {
    return problem(
      'unreadable',
      `the file cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'})`,
      'Check the path and its permissions',
    );
  }
  return parseRunbook(text.replace(/^\uFEFF/, ''), file);
}

/** @returns the runbook, or every problem at once */
export function parseRunbook(text: string, file: string): Runbook | Problem[] {
  const lines = new Lines(text);
  const documents = parseAllDocuments(text, { prettyErrors: false, logLevel: 'error' });
  const [document] = documents;
  if (!('length' in documents) || document === undefined)
    return [at(file, 1, 1, '', 'empty', 'the file is empty', 'Begin with name: and title:')];
  if (documents.length > 1)
    return [
      at(file, 1, 1, '', 'several-documents', 'the file holds several YAML documents', 'Write one runbook a file'),
    ];
  if (document.errors.length > 0) {
    return document.errors.slice(0, MOST_PROBLEMS).map(({ pos, message, code }) => {
      const { line, col } = lines.linePos(pos[0]);
      return at(file, line, col, '', 'yaml-syntax', message.split('\n')[0] ?? code, 'Mend the YAML');
    });
  }
  const placed = (path: Path, onKey: boolean) => placeOf(document, lines, path, onKey);
  const toProblem = (path: Path, code: string, found: string, remedy: string, onKey = false): Problem => {
    const { line, col } = placed(path, onKey);
    return at(file, line, col, path.join('.'), code, found, remedy);
  };
  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: 50 });
  } catch (error) {
    return [
      at(
        file,
        1,
        1,
        '',
        'yaml-alias',
        error instanceof Error ? error.message : 'an alias cannot be resolved',
        'Write the value out',
      ),
    ];
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    return [toProblem([], 'not-a-runbook', 'the file holds no keys', 'Begin with name: and title:')];
  const { supported, problems } = takeOutUnsupported(raw);
  const parsed = Runbook.safeParse(supported);
  const found = [
    ...problems,
    ...(parsed.success ? checkRunbook(parsed.data, basename(file)) : problemsOfIssues(parsed.error.issues, supported)),
  ];
  if (found.length > 0 || !parsed.success) {
    const first = found.slice(0, MOST_PROBLEMS).map((each) => ({ ...each, at: placed(each.path, 'onKey' in each) }));
    first.sort((left, right) => left.at.line - right.at.line);
    const told = first.map(({ path, code, found: what, remedy, at: { line, col } }) =>
      at(file, line, col, path.join('.').slice(0, 200), code, what, remedy),
    );
    const more = found.length - told.length;
    if (more > 0)
      told.push(at(file, 1, 1, '', 'and-more', `${more} more problems were found`, 'Mend those above first'));
    return told;
  }
  return parsed.data;
}

/** Where lines begin. The counter of `yaml` loses count in quoted text that runs over several lines. */
class Lines {
  readonly #starts: readonly number[];

  constructor(text: string) {
    this.#starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  }

  linePos(offset: number): { line: number; col: number } {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, col: offset - (this.#starts[low] ?? 0) + 1 };
  }
}

function at(
  file: string,
  line: number,
  column: number,
  path: string,
  code: string,
  found: string,
  remedy: string,
): Problem {
  return { code, place: `${file}:${line}:${column}${path === '' ? '' : ` ${path}`}`, found, remedy };
}

/** Line and column of a path, or of the nearest parent that exists. */
function placeOf(document: Document, lines: Lines, path: Path, onKey: boolean): { line: number; col: number } {
  if (onKey) {
    const parent = document.getIn(path.slice(0, -1), true);
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(path.at(-1)))
      : undefined;
    if (pair !== undefined && isScalar(pair.key) && pair.key.range) return lines.linePos(pair.key.range[0]);
  }
  for (let depth = path.length; depth >= 0; depth--) {
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range))
      return lines.linePos(Number(node.range[0]));
  }
  return { line: 1, col: 1 };
}
