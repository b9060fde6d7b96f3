/** YAML whose every value has a place: reads one document of bounded size, and reports problems with file, line, column and path. */
import { isCollection, isMap, isPair, isScalar, parseAllDocuments, type Document } from 'yaml';
import { MOST_PROBLEMS, type Problem } from '../domain/failures.js';
import { MOST_LEVELS } from '../domain/text/nesting.js';
import { FileError } from '../files/file-access.js';
import { readSmallFile } from '../files/read-file.js';

/** Far larger than any file of ours; one beyond it is a mistake. */
export const LARGEST_FILE_BYTES = 256 * 1024;

/** The keys and positions that lead to a value of a document. */
export type Path = readonly (string | number)[];

/** A problem inside a document, before its place is known in lines and columns. */
export interface PathProblem {
  readonly code: string;
  readonly path: Path;
  readonly found: string;
  readonly remedy: string;
  /** The key itself is wrong, not its value. */
  readonly onKey?: true;
}

/** How problems refer to the file. */
export interface FileKind {
  /** `runbook`: one of it, as in `Write one runbook a file` and the code `not-a-runbook`. */
  readonly noun: string;
  /** `Begin with name: and title:` */
  readonly begin: string;
  /** `A runbook is a page of YAML` */
  readonly size: string;
}

/** @returns the text of a file, or why it cannot be read */
export async function readYamlFile(file: string, kind: FileKind): Promise<string | Problem[]> {
  try {
    return await readSmallFile(file, { maxBytes: LARGEST_FILE_BYTES });
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const found = `the file ${error.message}`;
    if (error.code === 'tooLarge') return [{ code: 'too-large', place: file, found, remedy: kind.size }];
    const remedy =
      error.code === 'notAFile' ? 'Name a file, or each file of a folder' : 'Check the path and its permissions';
    return [{ code: 'unreadable', place: file, found, remedy }];
  }
}

/** One YAML document whose top is keys and values. */
export class YamlDocument {
  readonly #document: Document;
  readonly #lines: Lines;

  private constructor(
    /** The keys and values, as plain JavaScript. */
    readonly raw: object,
    readonly file: string,
    document: Document,
    lines: Lines,
  ) {
    this.#document = document;
    this.#lines = lines;
  }

  /** @returns the document, or why the text is none */
  static parse(text: string, file: string, kind: FileKind): YamlDocument | Problem[] {
    const lines = new Lines(text);
    const documents = parseAllDocuments(text, { prettyErrors: false, logLevel: 'error' });
    const [document] = documents;
    const atTop = (code: string, found: string, remedy: string) => [at(file, 1, 1, '', code, found, remedy)];
    const tooDeep = () =>
      atTop('too-deep', `lists or keys are nested more than ${MOST_LEVELS} deep`, 'Nest them less deep');
    if (!('length' in documents) || document === undefined) return atTop('empty', 'the file is empty', kind.begin);
    if (documents.length > 1)
      return atTop('several-documents', 'the file holds several YAML documents', `Write one ${kind.noun} a file`);
    if (document.errors.some(isStackOverflow)) return tooDeep();
    if (document.errors.length > 0) {
      return withoutConsequences(document.errors)
        .slice(0, MOST_PROBLEMS)
        .map(({ pos, message, code }) => {
          const { line, col } = lines.linePos(pos[0]);
          const found = message.split('\n')[0] ?? code;
          return at(file, line, col, '', 'yaml-syntax', found, syntaxRemedy(code, lines.textOf(line)));
        });
    }
    if (isTooDeep(document)) return tooDeep();
    let raw: unknown;
    try {
      raw = document.toJS({ maxAliasCount: 50 });
    } catch (error) {
      if (isStackOverflow(error)) return tooDeep();
      const found = error instanceof Error ? error.message : 'an alias cannot be resolved';
      return atTop('yaml-alias', found, 'Write the value out');
    }
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
      const { line, col } = placeOf(document, lines, [], false);
      const what = Array.isArray(raw) ? 'a list' : raw === null ? 'nothing' : 'text';
      return [at(file, line, col, '', `not-a-${kind.noun}`, `the file holds ${what} and no keys`, kind.begin)];
    }
    return new YamlDocument(raw, file, document, lines);
  }

  /** Problems with their places, in the order of the file; beyond the number that one fixes at once they are only counted. */
  placed(found: readonly PathProblem[]): Problem[] {
    const first = found
      .slice(0, MOST_PROBLEMS)
      .map((each) => ({ ...each, at: placeOf(this.#document, this.#lines, each.path, each.onKey === true) }));
    first.sort((left, right) => left.at.line - right.at.line || left.at.col - right.at.col);
    const reported = first.map(({ path, code, found: what, remedy, at: { line, col } }) =>
      at(this.file, line, col, path.join('.').slice(0, 200), code, what, remedy),
    );
    const more = found.length - reported.length;
    if (more > 0)
      reported.push(
        at(this.file, 1, 1, '', 'more-problems', `${more} more problems were found`, 'Fix those above first'),
      );
    return reported;
  }
}

/** Counted without recursion: what reads the document later follows each level by calling itself. */
function isTooDeep({ contents }: Document): boolean {
  let level: unknown[] = [contents];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) return true;
    level = level.flatMap((node) => (isCollection(node) ? node.items.flatMap(partsOf) : []));
  }
  return false;
}

function partsOf(item: unknown): unknown[] {
  return isPair(item) ? [item.key, item.value] : [item];
}

/** The parser follows each level by calling itself. */
function isStackOverflow(error: unknown): boolean {
  return error instanceof Error && error.message.includes('call stack');
}

/** Found in a document that was understood; every other error may be why those after it are there. */
const INDEPENDENT_ERRORS = ['DUPLICATE_KEY', 'TAB_AS_INDENT', 'BAD_DQ_ESCAPE', 'TAG_RESOLVE_FAILED'];

function withoutConsequences(errors: Document['errors']): Document['errors'] {
  const first = errors.find(({ code }) => !INDEPENDENT_ERRORS.includes(code));
  const end = first === undefined ? errors.length : errors.indexOf(first) + 1;
  return errors.slice(0, end);
}

function syntaxRemedy(code: string, line: string): string {
  if (code === 'TAB_AS_INDENT') return 'Indent with spaces';
  if (code === 'DUPLICATE_KEY') return 'Remove one of the two';
  if (line.includes('${{')) return "Put the expression in quotes, as in '${{ inputs.name }}'";
  return 'Fix the YAML at this place: indentation, quotes, brackets';
}

/** Where lines begin. The counter of `yaml` loses count in quoted text that runs over several lines. */
class Lines {
  readonly #starts: readonly number[];

  constructor(private readonly text: string) {
    this.#starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  }

  /** The text of a line, which counts from 1. */
  textOf(line: number): string {
    return this.text.slice(this.#starts[line - 1], this.#starts[line]);
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
