/** Reads the alarms file for the gateway and every `runbook alarm` command. */
import type { AlarmsConfig } from '../gateway/alarms-file/read-alarms-file.js';
import { CommandError, USAGE_EXIT_CODE } from './output.js';

/**
 * @param given the option --file. Default: RUNBOOK_ALARMS
 * @param secrets `unread` for commands that only use the rules and run on machines without secrets
 * @throws CommandError with every problem of the file
 */
export async function loadAlarms(given: string | undefined, secrets: 'read' | 'unread'): Promise<AlarmsConfig> {
  const [{ readAlarmsFile }, { secretsBeside }, { findRunbook }, { loadClientConfig }, path] = await Promise.all([
    import('../gateway/alarms-file/read-alarms-file.js'),
    import('../gateway/alarms-file/sender-settings.js'),
    import('../runbooks/catalogue.js'),
    import('../config/config.js'),
    import('node:path'),
  ]);
  const { alarmsFile, runbookDirectories } = loadClientConfig(process.env);
  const file = given ?? alarmsFile;
  if (file === undefined) {
    const message = 'No alarms file is named. Give --file FILE, or set RUNBOOK_ALARMS';
    throw new CommandError('NoAlarmsFile', message);
  }
  const read = await readAlarmsFile(file, {
    findRunbook: (name) => findRunbook(runbookDirectories, name),
    readSecret: secrets === 'read' ? secretsBeside(path.dirname(file)) : null,
  });
  if (!Array.isArray(read)) return read;
  throw new CommandError('InvalidAlarms', 'The alarms file has problems:', USAGE_EXIT_CODE, read);
}
