/** The log of worker and gateway: JSON, one object a line, in which a terminal obeys nothing. */
import { pino, type Logger } from 'pino';
import { printableJson } from './domain/text.js';

/** @param level `trace` to `fatal`, or `silent`, as pino takes it */
export function createLog(level: string): Logger {
  return pino({ level, base: { service: 'servicestage-runbooks' }, hooks: { streamWrite: printableJson } });
}
