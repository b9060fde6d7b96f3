/** The only reader of schedule files: YAML in, the schedules wished for or every problem with file, line and column out. Changes nothing. */
import { durationMs } from '../domain/duration.js';
import type { Problem } from '../domain/failures.js';
import { NAME_REMEDY, type Runbook } from '../domain/runbook.js';
import { readInputs } from '../activities/start-arguments.js';
import type { RunbookLookup } from '../catalogue.js';
import { problemOfKind } from '../problems/file-kind.js';
import { problemsOfIssues } from '../problems/shape.js';
import { readYamlFile, YamlDocument, type FileKind, type PathProblem } from '../yaml-document.js';
import { checkEntry } from './schedule-checks.js';
import { ScheduleFile, type ScheduleEntry } from './schedule-file.js';

const SCHEDULE_FILE: FileKind = {
  noun: 'schedule-file',
  begin: 'Begin with owner: and schedules:',
  size: 'Split the schedules over several files, each with an owner of its own',
};

/** One schedule as a file wants it. */
export interface WishedSchedule {
  /** `<owner>/<name>`, the id on the server. */
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  /** Defaults and inputs filled in, so that two ways to write the same are the same. */
  readonly entry: ScheduleEntry;
  readonly runbook: Runbook;
}

export interface ReadSchedules {
  readonly owner: string;
  readonly schedules: readonly WishedSchedule[];
}

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
  const problems = [
    ...oddNames(raw),
    ...(parsed.success ? [] : problemsOfIssues(parsed.error.issues, raw, ScheduleFile).map(inWordsOfSchedules)),
  ];
  const owner = 'owner' in raw && typeof raw.owner === 'string' ? raw.owner : '';
  const schedules: WishedSchedule[] = [];
  // Each entry that has its shape is checked further, also beside others that have not.
  for (const [name, entry] of wellShaped(raw)) {
    const runbook = await findRunbook(entry.runbook);
    const found = checkEntry(entry, { runbook, calendars, nowMs });
    problems.push(...found.map((problem) => ({ ...problem, path: ['schedules', name, ...problem.path] })));
    if (found.length === 0 && runbook.kind === 'found')
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

function* wellShaped(raw: object): Generator<[string, ScheduleEntry]> {
  const schedules: unknown = 'schedules' in raw ? raw.schedules : null;
  if (typeof schedules !== 'object' || schedules === null || Array.isArray(schedules)) return;
  for (const [name, entry] of Object.entries(schedules)) {
    const parsed = ScheduleFile.shape.schedules.valueType.safeParse(entry);
    if (parsed.success) yield [name, parsed.data];
  }
}

/** zod passes over a key of that name without a word. */
function oddNames(raw: object): PathProblem[] {
  const schedules: unknown = 'schedules' in raw ? raw.schedules : null;
  if (typeof schedules !== 'object' || schedules === null || !Object.hasOwn(schedules, '__proto__')) return [];
  const path = ['schedules', '__proto__'];
  return [{ code: 'wrong-name', path, found: '"__proto__" is not a valid name', remedy: NAME_REMEDY, onKey: true }];
}

/** The same words as for runbook files, with this file's own keys and names. */
function inWordsOfSchedules(problem: PathProblem): PathProblem {
  if (problem.code === 'wrong-name') return { ...problem, remedy: NAME_REMEDY };
  if (problem.code === 'wrong-value' && problem.path[2] === 'calendar' && problem.path.length > 3)
    return { ...problem, remedy: calendarRemedy(String(problem.path[3])) };
  return problem;
}

const CALENDAR_VALUES: Readonly<Record<string, string>> = {
  second: 'a number from 0 to 59',
  minute: 'a number from 0 to 59',
  hour: 'a number from 0 to 23',
  dayOfMonth: 'a number from 1 to 31',
  month: 'a name such as JANUARY',
  year: 'a number from 2000 to 2100',
  dayOfWeek: 'a name such as MONDAY',
};

function calendarRemedy(field: string): string {
  return `Write ${CALENDAR_VALUES[field] ?? 'a value'}, a range { start, end, step }, a list of them, or "*"`;
}

function filledIn(entry: ScheduleEntry, runbook: Runbook): ScheduleEntry {
  const { cron, inputs, ...rest } = entry;
  const { inputs: typed } = readInputs(runbook, inputs ?? {});
  // What was not given stays out: the defaults are the runbook's own, at the time of the run.
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
