/** Reads the files that the configuration names, as worker and gateway read them: with their secrets. */
import { dirname } from 'node:path';
import { freezesBetween, listCalendars } from '../calendars/calendars.js';
import type { ClientConfig } from '../config/config.js';
import type { Problem } from '../domain/failures.js';
import { readAlarmsFile } from '../gateway/alarms-file/read-alarms-file.js';
import { secretsBeside } from '../gateway/alarms-file/sender-settings.js';
import { readWebhooks } from '../notifications/read-webhooks.js';
import { findRunbook, listRunbooks } from '../runbooks/catalogue.js';
import { answerWithin, type Answer, type FileFacts, type FilesRead } from './facts.js';

type Config = Pick<
  ClientConfig,
  'runbookDirectories' | 'calendarDirectories' | 'alarmsFile' | 'notificationsFile' | 'webhookSecrets'
>;

/** @param given reads the files that the command line names; `null`: it names none */
export async function askFiles(
  config: Config,
  given: (() => Promise<FilesRead>) | null,
  timeoutMs: number,
): Promise<FileFacts> {
  const ask = (question: () => Promise<FilesRead>) => answerWithin(timeoutMs, causeOf, question);
  const { runbookDirectories, calendarDirectories, alarmsFile, notificationsFile, webhookSecrets } = config;
  const unset = (variable: string): Answer<FilesRead> => ({ kind: 'unasked', why: `${variable} is not set` });
  const [runbooks, calendars, alarms, notifications, named] = await Promise.all([
    ask(async () => {
      const { runbooks: found, problems } = await listRunbooks(runbookDirectories);
      return { count: found.length, problems };
    }),
    calendarDirectories.length === 0 ? unset('RUNBOOK_CALENDARS') : ask(() => readCalendars(calendarDirectories)),
    alarmsFile === undefined
      ? unset('RUNBOOK_ALARMS')
      : ask(async () =>
          counted(
            await readAlarmsFile(alarmsFile, {
              findRunbook: (name) => findRunbook(runbookDirectories, name),
              readSecret: secretsBeside(dirname(alarmsFile)),
            }),
            ({ rules }) => rules.length,
          ),
        ),
    notificationsFile === undefined
      ? unset('RUNBOOK_NOTIFICATIONS')
      : ask(async () =>
          counted(await readWebhooks(notificationsFile, webhookSecrets), ({ webhooks }) => webhooks.length),
        ),
    given === null ? unasked('no file was named; name schedule files to check them') : ask(given),
  ]);
  return { runbooks, calendars, alarms, notifications, given: named };
}

function unasked(why: string): Answer<FilesRead> {
  return { kind: 'unasked', why };
}

async function readCalendars(directories: readonly string[]): Promise<FilesRead> {
  const { names, problems } = await listCalendars(directories);
  const nowMs = Date.now();
  const read = await freezesBetween(directories, names, nowMs, nowMs + AHEAD_MS);
  return { count: names.length, problems: problems.length > 0 ? problems : read.problems };
}

/** What a run that starts today asks for at most. */
const AHEAD_MS = 7 * 86_400_000;

function counted<Read extends object>(read: Read | Problem[], count: (value: Read) => number): FilesRead {
  return Array.isArray(read) ? { count: 0, problems: read } : { count: count(read), problems: [] };
}

function causeOf(error: unknown): { readonly cause: 'other'; readonly reason: string } {
  return { cause: 'other', reason: error instanceof Error ? error.message : String(error) };
}
