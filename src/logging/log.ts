/** The log of worker and gateway: one JSON object per line, with control characters escaped. */
import { pino, type Logger } from 'pino';
import { printableJson } from '../domain/text/text.js';

/**
 * Creates a logger.
 * @param level `trace` to `fatal`, or `silent`
 * @param writes `at once` for the last line of a process that is killed; other lines use Node's thread pool, which
 * may hang
 */
export function createLog(level: string, writes: 'soon' | 'at once' = 'soon'): Logger {
  const base = { service: 'servicestage-runbooks' };
  return pino({ level, base, hooks: { streamWrite: printableJson } }, pino.destination({ sync: writes === 'at once' }));
}
