/** The only reader of schedule files: YAML in; the schedules that the file wants, or every problem with file, line and column, out. Changes nothing. */
import { durationMs } from '../domain/time/duration.js';
import type { Problem } from '../domain/failures.js';
import type { Runbook } from '../domain/runbook/runbook.js';
import { NAME, NAME_REMEDY } from '../domain/runbook/names.js';
import { readInputs } from '../domain/plan/start-arguments.js';
import type { RunbookLookup } from '../runbooks/lookups.js';
import { problemOfKind } from '../yaml/file-kind.js';
import { isObject } from '../yaml/schema-keys.js';
import { problemsOfIssues } from '../yaml/shape-problems.js';
import type { ShapeProblem } from '../yaml/value-problems.js';
import { readYamlFile, YamlDocument, type FileKind, type PathProblem } from '../yaml/yaml-document.js';
import { checkEntry } from './schedule-checks.js';
import { ScheduleFile, type ScheduleEntry } from './schedule-file.js';

const SCHEDULE_FILE: FileKind = {
  noun: 'schedule-file',
  begin: 'Begin with owner: and schedules:',
  size: 'Split the schedules over several files, each with an owner of its own',
};

/** One schedule as a file wants it. */
export interface DesiredSchedule {
  /** `<owner>/<name>`, the id on the server. */
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  /** Defaults and inputs filled in, so that two ways to write the same are the same. */
  readonly entry: ScheduleEntry;
  readonly runbook: Runbook;
}

/** A schedule file that has no problems. */
export interface ReadSchedules {
  readonly owner: string;
  readonly schedules: readonly DesiredSchedule[];
}

/** What a schedule file is checked against. */
export interface ReadOptions {
  readonly findRunbook: (name: string) => Promise<RunbookLookup>;
  /** Names of the calendars that are known; absent: names of calendars are not checked. */
  readonly calendars?: readonly string[] | null;
  /** Schedules that start nothing from then on are problems. Default: now. */
  readonly nowMs?: number;
}

/** @returns the schedules, or every problem at once */
export async function readScheduleFile(file: string, options: ReadOptions): Promise<ReadSchedules | Problem[]> {
  const text = await readYamlFile(file, SCHEDULE_FILE);
  return typeof text === 'string' ? parseSchedules(text, file, options) : text;
}

/** @returns the schedules, or every problem at once */
export async function parseSchedules(
  text: string,
  file: string,
  { findRunbook, calendars = null, nowMs = Date.now() }: ReadOptions,
): Promise<ReadSchedules | Problem[]> {
  const document = YamlDocument.parse(text, file, SCHEDULE_FILE);
  if (Array.isArray(document)) return document;
  const { raw } = document;
  const otherKind = problemOfKind(raw, 'schedule file');
  if (otherKind !== null) return document.placed([otherKind]);
  const parsed = ScheduleFile.safeParse(raw);
  const ofShape = [
    ...(parsed.success ? [] : problemsOfIssues(parsed.error.issues, raw, ScheduleFile)),
    ...behindInvalidNames(raw),
  ];
  const problems = [...oddNames(raw), ...ofShape.map(inWordsOfSchedules)];
  const owner = 'owner' in raw && typeof raw.owner === 'string' ? raw.owner : '';
  const schedules: DesiredSchedule[] = [];
  // Entries with the right shape are checked further even if others lack it, so that all problems are reported together.
  for (const { name, entry, replaced } of judgedEntries(raw, ofShape)) {
    const runbook = replaced.has('runbook') ? NOT_JUDGED : await findRunbook(entry.runbook);
    const found = checkEntry(entry, { runbook, calendars, nowMs }).filter((problem) => !follows(problem, replaced));
    problems.push(...found.map((problem) => ({ ...problem, path: ['schedules', name, ...problem.path] })));
    if (found.length === 0 && replaced.size === 0 && runbook.kind === 'found')
      schedules.push({
        id: `${owner}/${name}`,
        owner,
        name,
        entry: filledIn(entry, runbook.runbook),
        runbook: runbook.runbook,
      });
  }
  return problems.length > 0 || !parsed.success ? document.placed(problems) : { owner, schedules };
}

const Entry = ScheduleFile.shape.schedules.valueType;
const NOT_JUDGED: RunbookLookup = { kind: 'unknown', known: [], folders: [] };

/** For keys that must be there; nothing is judged by them. */
const PLACEHOLDERS: Readonly<Record<string, unknown>> = {
  runbook: 'not-judged',
  targets: ['not/to-be/judged'],
  timezone: 'UTC',
  window: '365d',
};

interface JudgedEntry {
  readonly name: string;
  readonly entry: ScheduleEntry;
  /** Keys that were taken out or have a placeholder, since their own shape has problems. */
  readonly replaced: ReadonlySet<string>;
}

function entriesOf(raw: object): [string, Record<string, unknown>][] {
  const schedules: unknown = 'schedules' in raw ? raw.schedules : null;
  if (!isObject(schedules)) return [];
  return Object.entries(schedules).filter((each): each is [string, Record<string, unknown>] => isObject(each[1]));
}

function* judgedEntries(raw: object, ofShape: readonly ShapeProblem[]): Generator<JudgedEntry> {
  for (const [name, given] of entriesOf(raw)) {
    const own = ofShape.filter(({ path }) => path.length > 2 && path[0] === 'schedules' && String(path[1]) === name);
    const replaced = new Set(own.flatMap(keysOf));
    const kept = Object.entries(given).filter(([key]) => !replaced.has(key));
    const placeholders = Object.entries(PLACEHOLDERS).filter(([key]) => replaced.has(key));
    const parsed = Entry.safeParse(Object.fromEntries([...kept, ...placeholders]));
    if (parsed.success) yield { name, entry: parsed.data, replaced };
  }
}

/** The key of the entry that has a problem, and the one that was meant by it. */
function keysOf({ path, meant, under }: ShapeProblem): string[] {
  const ofEntry = path.length === 3 ? [meant, under] : [];
  return [String(path[2]), ...ofEntry.filter((key) => key !== undefined)];
}

/** Where a key was replaced, a check proves nothing of what the author wrote. */
function follows({ code, path }: PathProblem, replaced: ReadonlySet<string>): boolean {
  const [key] = path;
  if (key !== undefined && replaced.has(String(key))) return true;
  switch (code) {
    case 'cron-or-calendar':
      return replaced.has('cron') || replaced.has('calendar');
    case 'never-starts':
      return replaced.has('timezone');
    case 'nothing-to-wait-for':
      return replaced.has('freeze');
    default:
      return false;
  }
}

/** Problems of entries whose name is invalid, which zod does not check. An entry without keys has no others. */
function behindInvalidNames(raw: object): ShapeProblem[] {
  return entriesOf(raw).flatMap(([name, entry]) => {
    const isPassedOver = NAME.test(name) || Object.keys(entry).length === 0;
    const parsed = isPassedOver ? null : Entry.safeParse(entry);
    const issues = parsed?.error?.issues ?? [];
    const placed = issues.map((issue) => ({ ...issue, path: ['schedules', name, ...issue.path] }));
    return problemsOfIssues(placed, raw, ScheduleFile);
  });
}

/** zod silently ignores a key of that name. */
function oddNames(raw: object): PathProblem[] {
  const schedules: unknown = 'schedules' in raw ? raw.schedules : null;
  if (typeof schedules !== 'object' || schedules === null || !Object.hasOwn(schedules, '__proto__')) return [];
  const path = ['schedules', '__proto__'];
  return [{ code: 'invalid-name', path, found: '"__proto__" is not a valid name', remedy: NAME_REMEDY, onKey: true }];
}

/** The same words as for runbook files, with this file's own keys and names. */
function inWordsOfSchedules(problem: PathProblem): PathProblem {
  return problem.code === 'invalid-name' ? { ...problem, remedy: NAME_REMEDY } : problem;
}

function filledIn(entry: ScheduleEntry, runbook: Runbook): ScheduleEntry {
  const { cron, inputs, ...rest } = entry;
  const { inputs: typed } = readInputs(runbook, inputs ?? {});
  // Inputs that the entry does not give stay out: they get the runbook's defaults at the time of each run.
  const given = Object.keys(inputs ?? {}).map((name) => [name, typed[name]] as const);
  return {
    ...rest,
    ...(given.length === 0 ? {} : { inputs: Object.fromEntries(given) }),
    ...(cron === undefined ? {} : { cron: cron.trim().split(/\s+/).join(' ') }),
  };
}

/** Milliseconds of the entry's window; its shape proves that it is a duration. */
export function windowMs({ window }: Pick<ScheduleEntry, 'window'>): number {
  return durationMs(window) ?? 0;
}
