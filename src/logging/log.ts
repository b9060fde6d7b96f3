/** The log of worker and gateway: JSON, one object a line, in which a terminal obeys nothing. */
import { pino, type Logger } from 'pino';
import { printableJson } from '../domain/text/text.js';

/**
 * @param level `trace` to `fatal`, or `silent`, as pino takes it
 * @param writes `at once`: for the last line of a process that is killed; the usual ones go through Node's pool of threads, which may hang
 */
export function createLog(level: string, writes: 'soon' | 'at once' = 'soon'): Logger {
  const base = { service: 'servicestage-runbooks' };
  return pino({ level, base, hooks: { streamWrite: printableJson } }, pino.destination({ sync: writes === 'at once' }));
}
