/**
 * How a process ends although something hangs. `process.exit` waits for the threads of Node's pool, so a call that the kernel does not
 * answer, as on a network file system whose server is unreachable, would keep the process for ever: it kills itself.
 */
import { fileAccess } from './file-access.js';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGUSR2'] as const;

/** What kept the process. */
export interface Hanging {
  /** Folders of files that were not answered. */
  readonly folders: readonly string[];
  /** What Node still waits for, by its own names, and how many of each: `FSReqPromise`, `GetAddrInfoReqWrap`, `TCPSocketWrap`. */
  readonly waitsFor: Readonly<Record<string, number>>;
}

/** Requests of Node's pool of threads that can last for ever; others end by themselves, or do not keep `process.exit`. */
const OF_THE_POOL = /^(?:FSReq|GetAddrInfo|GetNameInfo)/;

/**
 * Ends the process if it still runs `limitMs` milliseconds after the first signal to stop.
 * @returns whether a signal came
 */
export function endWithin(limitMs: number, report: (hanging: Hanging) => void): { readonly isAsked: boolean } {
  const stop = { isAsked: false };
  const onSignal = () => {
    stop.isAsked = true;
    setTimeout(() => end(report), limitMs).unref();
  };
  for (const signal of STOP_SIGNALS) process.once(signal, onSignal);
  return stop;
}

/** Ends a process that is done, even if a file operation is not answered. */
export function endUnlessAnswered(report: (hanging: Hanging) => void): void {
  if (fileAccess.unanswered().length > 0) end(report);
}

function end(report: (hanging: Hanging) => void): void {
  const waitsFor: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) waitsFor[name] = (waitsFor[name] ?? 0) + 1;
  report({ folders: fileAccess.unanswered(), waitsFor });
  if (Object.keys(waitsFor).some((name) => OF_THE_POOL.test(name))) process.kill(process.pid, 'SIGKILL');
  else process.exit(0);
}
