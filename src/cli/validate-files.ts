/**
 * `runbook validate`: checks files of every kind, recognized by their contents, and the calendars that runbooks use.
 */
import { basename, dirname, extname } from 'node:path';
import type { Problem } from '../domain/failures.js';
import { FREEZES_AHEAD_MS } from '../domain/gates/gates.js';
import type { Runbook } from '../domain/runbook/runbook.js';
import type { KindOfFile } from '../yaml/file-kind.js';
import type { LocalCalendars } from './read-calendars.js';

/** The result of `runbook validate`. */
export interface Validated {
  readonly problems: readonly Problem[];
  readonly checked: number;
  /** What was checked, for people: `runbook file`, or `file` if there were several kinds. */
  readonly noun: string;
  /** True if a valid file names a calendar. */
  readonly namesCalendars: boolean;
}

/** Checks the given files, or the built-in catalogue and the folders of `RUNBOOK_DIR` if there are none. */
export async function validateFiles(files: readonly string[], calendars: LocalCalendars): Promise<Validated> {
  if (files.length === 0) return validateCatalogue(calendars);
  const found = await Promise.all(files.map((file) => validateFile(file, calendars)));
  const runbooks = found.flatMap(({ runbook }) => (runbook === null ? [] : [runbook]));
  const kinds = new Set(found.map(({ kind }) => kind));
  const [only] = kinds;
  return {
    problems: [...found.flatMap(({ problems }) => problems), ...(await problemsOfCalendars(runbooks, calendars))],
    checked: files.length,
    noun: kinds.size > 1 || only === undefined ? 'file' : only === 'runbook' ? 'runbook file' : only,
    namesCalendars: found.some(({ freeze }) => freeze.length > 0),
  };
}

async function validateCatalogue(calendars: LocalCalendars): Promise<Validated> {
  const [{ listRunbooks }, { loadClientConfig }] = await Promise.all([
    import('../runbooks/catalogue.js'),
    import('../config/config.js'),
  ]);
  const { runbooks, problems } = await listRunbooks(loadClientConfig(process.env).runbookDirectories, calendars.names);
  const ofCalendars = await problemsOfCalendars(
    runbooks.map(({ runbook }) => runbook),
    calendars,
  );
  return {
    problems: [...problems, ...ofCalendars],
    checked: runbooks.length + new Set(problems.map(({ place }) => place.split(':')[0])).size,
    noun: 'runbook file',
    namesCalendars: runbooks.some(({ runbook }) => freezeOf(runbook).length > 0),
  };
}

interface ValidatedFile {
  readonly kind: KindOfFile;
  readonly problems: readonly Problem[];
  /** The runbook, if the file is a valid one. */
  readonly runbook: Runbook | null;
  /** Names of calendars in a valid file. */
  readonly freeze: readonly string[];
}

function freezeOf({ guards }: Runbook): readonly string[] {
  return guards?.freeze ?? [];
}

async function validateFile(file: string, calendars: LocalCalendars): Promise<ValidatedFile> {
  const kind = await kindOf(file);
  switch (kind) {
    case 'runbook': {
      const { loadFile } = await import('../runbooks/catalogue.js');
      const loaded = await loadFile(file, calendars.names);
      return Array.isArray(loaded)
        ? { kind, problems: loaded, runbook: null, freeze: [] }
        : { kind, problems: [], runbook: loaded, freeze: freezeOf(loaded) };
    }
    case 'schedule file': {
      const { readScheduleFile } = await import('../schedules/read-schedules.js');
      const options = { findRunbook: await runbookFinder(), calendars: calendars.names };
      const read = await readScheduleFile(file, options);
      const freeze = 'schedules' in read ? read.schedules.flatMap(({ entry }) => entry.freeze ?? []) : [];
      return { kind, problems: problemsIn(read), runbook: null, freeze };
    }
    case 'alarms file': {
      const { readAlarmsFile } = await import('../gateway/alarms-file/read-alarms-file.js');
      // Secrets are on the machine of the gateway, which checks them when it starts.
      const options = { findRunbook: await runbookFinder(), readSecret: null };
      return { kind, problems: problemsIn(await readAlarmsFile(file, options)), runbook: null, freeze: [] };
    }
    case 'notifications file': {
      const { readWebhooks } = await import('../notifications/read-webhooks.js');
      // Secrets are on the machines of the workers, which check them when they start.
      return { kind, problems: problemsIn(await readWebhooks(file, null)), runbook: null, freeze: [] };
    }
    case 'calendar': {
      const { calendarsIn } = await import('../calendars/calendars.js');
      const nowMs = Date.now();
      const name = basename(file, extname(file));
      const { problems } = await calendarsIn([dirname(file)]).freezesBetween([name], nowMs, nowMs + FREEZES_AHEAD_MS);
      return { kind, problems, runbook: null, freeze: [] };
    }
  }
}

/** A file that cannot be read or recognized is checked as a runbook. */
async function kindOf(file: string): Promise<KindOfFile> {
  if (/\.ics$/i.test(file)) return 'calendar';
  const [{ readYamlFile, YamlDocument }, { kindOfFile }] = await Promise.all([
    import('../yaml/yaml-document.js'),
    import('../yaml/file-kind.js'),
  ]);
  const words = { noun: 'file', begin: '', size: '' };
  const text = await readYamlFile(file, words);
  const document = typeof text === 'string' ? YamlDocument.parse(text, file, words) : text;
  return Array.isArray(document) ? 'runbook' : (kindOfFile(document.raw) ?? 'runbook');
}

async function runbookFinder() {
  const [{ findRunbook }, { loadClientConfig }] = await Promise.all([
    import('../runbooks/catalogue.js'),
    import('../config/config.js'),
  ]);
  const { runbookDirectories } = loadClientConfig(process.env);
  return (name: string) => findRunbook(runbookDirectories, name);
}

function problemsIn(read: object | readonly Problem[]): readonly Problem[] {
  return Array.isArray(read) ? (read as readonly Problem[]) : [];
}

/** Problems of the calendars that the runbooks name, as a run would find them. */
async function problemsOfCalendars(
  runbooks: readonly Runbook[],
  { names, freezesBetween }: LocalCalendars,
): Promise<readonly Problem[]> {
  const named = [...new Set(runbooks.flatMap(freezeOf))];
  if (names === null || named.length === 0) return [];
  const nowMs = Date.now();
  return (await freezesBetween(named, nowMs, nowMs + FREEZES_AHEAD_MS)).problems;
}
