/** The only reader of calendar files: iCalendar (`.ics`) and simple lists (`.yaml`). Every call reads the files again, so that a lifted freeze is seen. */
import { basename, extname } from 'node:path';
import type { Problem } from '../domain/failures.js';
import type { Freeze } from '../domain/gates/gates.js';
import { didYouMean } from '../domain/text/suggest.js';
import { FileError } from '../files/file-access.js';
import { listFolder, type PassedOver } from '../files/list-folder.js';
import { readSmallFile } from '../files/read-file.js';
import { calendarReader } from './calendar-reader.js';
import type { CalendarReading } from './calendar-thread.js';

/** Ten thousand events with long descriptions fit. */
const LARGEST_FILE_BYTES = 16 * 1024 * 1024;
const EXTENSIONS = ['.ics', '.yaml', '.yml'];
const UNKNOWN_CALENDAR = 'unknown-calendar';

/** The calendars of some folders, as activities use them. */
export interface Calendars {
  list(): ReturnType<typeof listCalendars>;
  freezesBetween(
    names: readonly string[],
    fromMs: number,
    toMs: number,
  ): Promise<{ freezes: Freeze[]; problems: Problem[] }>;
}

/** The calendars of these folders. Every call reads them again. */
export function calendarsIn(directories: readonly string[]): Calendars {
  return {
    list: () => listCalendars(directories),
    freezesBetween: (names, fromMs, toMs) => freezesBetween(directories, names, fromMs, toMs),
  };
}

/** Names by which runbooks, starts and schedules name calendars, sorted, and what the folders hold besides. What the files say is not read. */
export async function listCalendars(
  directories: readonly string[],
): Promise<{ names: string[]; passedOver: PassedOver[]; problems: Problem[] }> {
  const { files, passedOver, problems } = await calendarFiles(directories);
  const names = [...files.keys()].sort();
  for (const [name, found] of files) if (found.length > 1) problems.push(duplicateName(name, found));
  return { names, passedOver, problems };
}

/**
 * The freezes of the named calendars that overlap `[fromMs, toMs)`, by beginning. Each keeps its whole length. Epoch milliseconds.
 * A calendar with a problem may be frozen or not: the caller must treat it as frozen.
 */
export async function freezesBetween(
  directories: readonly string[],
  names: readonly string[],
  fromMs: number,
  toMs: number,
): Promise<{ freezes: Freeze[]; problems: Problem[] }> {
  const { files, problems } = await calendarFiles(directories);
  const allRead = problems.length === 0;
  const freezes: Freeze[] = [];
  for (const name of new Set(names)) {
    const found = files.get(name) ?? [];
    const [file] = found;
    if (file === undefined) problems.push(allRead ? unknownCalendar(name, [...files.keys()].sort()) : notFound(name));
    else if (found.length > 1) problems.push(duplicateName(name, found));
    else {
      const read = await readCalendar(file, name, fromMs, toMs);
      freezes.push(...read.freezes);
      problems.push(...read.problems);
    }
  }
  return { freezes: freezes.sort((left, right) => left.fromMs - right.fromMs), problems };
}

async function calendarFiles(
  directories: readonly string[],
): Promise<{ files: Map<string, string[]>; passedOver: PassedOver[]; problems: Problem[] }> {
  const files = new Map<string, string[]>();
  const all: PassedOver[] = [];
  const problems: Problem[] = [];
  for (const directory of new Set(directories)) {
    try {
      const { files: paths, passedOver } = await listFolder(directory, { extensions: EXTENSIONS });
      for (const path of paths) {
        const name = basename(path, extname(path));
        files.set(name, [...(files.get(name) ?? []), path]);
      }
      all.push(...passedOver);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      const found = `this folder of RUNBOOK_CALENDARS ${error.message}`;
      problems.push({ code: 'no-folder', place: directory, found, remedy: 'Create it, or correct RUNBOOK_CALENDARS' });
    }
  }
  return { files, passedOver: all, problems };
}

async function readCalendar(file: string, calendar: string, fromMs: number, toMs: number): Promise<CalendarReading> {
  try {
    const text = await readSmallFile(file, { maxBytes: LARGEST_FILE_BYTES });
    return await calendarReader.read({ file, text, calendar, fromMs, toMs });
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const isTooLarge = error.code === 'tooLarge';
    const remedy = isTooLarge ? 'Delete its past events, or split it' : 'Check the path and its permissions';
    const code = isTooLarge ? 'too-large' : 'unreadable';
    return { freezes: [], problems: [{ code, place: file, found: `the calendar ${error.message}`, remedy }] };
  }
}

/** A name that no calendar has: waiting does not help, while any other problem may be corrected before the next check. */
export function isUnknownCalendar({ code }: Problem): boolean {
  return code === UNKNOWN_CALENDAR;
}

function unknownCalendar(name: string, known: readonly string[]): Problem {
  const all =
    known.length === 0
      ? 'There are none. Set RUNBOOK_CALENDARS to the folder that has them, for the worker as well, and restart it'
      : `Known calendars: ${known.join(', ')}`;
  return {
    code: UNKNOWN_CALENDAR,
    place: `calendar ${name.slice(0, 200)}`,
    found: `there is no calendar "${name.slice(0, 200)}"`,
    remedy: `${all}.${didYouMean(name, known)}`,
  };
}

/** While a folder cannot be read, the calendar may be in it. */
function notFound(name: string): Problem {
  return {
    code: 'not-found',
    place: `calendar ${name.slice(0, 200)}`,
    found: `the calendar "${name.slice(0, 200)}" is in no folder that can be read`,
    remedy: 'Correct the folder, or the name',
  };
}

function duplicateName(name: string, files: readonly string[]): Problem {
  return {
    code: 'duplicate-name',
    place: files.join(' and '),
    found: `two calendars are called ${name}`,
    remedy: 'Rename one of them',
  };
}
