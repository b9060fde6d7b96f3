/** The log of Temporal's SDK, written by the worker's own. */
import type { Logger, LogMetadata } from '@temporalio/worker';
import type { Logger as Pino } from 'pino';

/** Passes what the SDK logs to `log`. */
export function runtimeLogger(log: Pino): Logger {
  const at = (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') => (message: string, meta?: LogMetadata) => {
    const { error, ...rest } = meta ?? {};
    log[level]({ ...rest, ...(error instanceof Error ? { error: `${error.name}: ${error.message}` } : {}) }, message);
  };
  return {
    log: (level, message, meta) => at(level.toLowerCase() as 'info')(message, meta),
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
}
