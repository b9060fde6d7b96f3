/** What the gateway and every `runbook alarm` command need: the alarms file, read whole or every problem told. */
import type { ReadAlarms } from '../gateway/read-alarms.js';
import { CommandError, USAGE_EXIT_CODE } from './output.js';

/** @param secrets `unread`: for commands that only use the rules, on machines that have no secrets. @throws CommandError with every problem */
export async function readAlarmsOrTell(given: string | undefined, secrets: 'read' | 'unread'): Promise<ReadAlarms> {
  const [{ readAlarmsFile }, { secretsBeside }, { findRunbook }, { loadClientConfig }, path] = await Promise.all([
    import('../gateway/read-alarms.js'),
    import('../gateway/sender-settings.js'),
    import('../runbooks/catalogue.js'),
    import('../config/config.js'),
    import('node:path'),
  ]);
  const { alarmsFile, runbookDirectories } = loadClientConfig(process.env);
  const file = given ?? alarmsFile;
  if (file === undefined) {
    const message = 'No alarms file is named, so alarms start nothing. Give --file FILE, or set RUNBOOK_ALARMS';
    throw new CommandError('NoAlarmsFile', message);
  }
  const read = await readAlarmsFile(file, {
    findRunbook: (name) => findRunbook(runbookDirectories, name),
    readSecret: secrets === 'read' ? secretsBeside(path.dirname(file)) : null,
  });
  if (!Array.isArray(read)) return read;
  throw new CommandError('InvalidAlarms', 'The alarms file has problems:', USAGE_EXIT_CODE, read);
}
