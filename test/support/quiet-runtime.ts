/**
 * Temporal's native runtime with only errors logged: tests break hundreds of connections, and each would be logged.
 */
import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

/** Installs it once per process. Test files share it, because the native core takes a second to load. */
export function installQuietRuntime(): void {
  if (Runtime._instance !== undefined) return;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
  });
}
