/** The log of worker, gateway and codec server: one event per line, as JSON or as text, with control characters escaped. */
import { pino, stdTimeFunctions, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { printableJson } from '../domain/text/text.js';
import { textLine } from './text-line.js';

/** How a log is written. */
interface LogOptions {
  /** The least urgent level that is written: `trace` to `fatal`, or `silent`. */
  readonly level: string;
  /** `json` for machines, `text` for a person at a terminal. Default: `json`. */
  readonly format?: 'json' | 'text';
  /** `at once` for the last line of a process that is killed; other lines use Node's thread pool, which may hang. Default: `soon`. */
  readonly writes?: 'soon' | 'at once';
}

/** Creates a log that writes to standard output. */
export function createLog(options: LogOptions): Logger {
  return logTo(pino.destination({ sync: options.writes === 'at once' }), options);
}

/** Creates a log that writes its lines to `destination`. */
export function logTo(destination: DestinationStream, options: Omit<LogOptions, 'writes'>): Logger {
  return pino(printableOptions(options), destination);
}

function printableOptions({ level, format = 'json' }: Omit<LogOptions, 'writes'>): LoggerOptions {
  return {
    level,
    base: { service: 'servicestage-runbooks' },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (name) => ({ level: name }) },
    hooks: { streamWrite: format === 'text' ? textLine : printableJson },
  };
}
