/** Reports requests and waits of the client to an observer, such as the metrics of a worker, which learns no path, no body and no header. */
import { ServiceStageError } from './errors.js';
import type { HttpClient } from './http.js';
import type { RequestBudget } from './request-budget.js';

/** What a request asks for. */
export type CallKind =
  | 'action'
  | 'instance'
  | 'cloudJob'
  | 'snapshots'
  | 'applications'
  | 'components'
  | 'instances'
  | 'token'
  | 'user'
  | 'other';

/** A request that is over. */
export interface ObservedCall {
  readonly kind: CallKind;
  /**
   * The HTTP status, such as `200`; `none`: there was no answer; `unreadable`: an answer of an undocumented shape; `notSent`: it ended before its
   * first byte, or we gave it up.
   */
  readonly status: string;
  readonly tookMs: number;
}

/** What observes the client. Nothing depends on what it does, and it never throws. */
export interface ServiceStageObserver {
  called(call: ObservedCall): void;
  /** ServiceStage answered 429: all requests of the process wait. */
  throttled(): void;
  waitedForBudget(request: 'post' | 'read', waitedMs: number, granted: boolean): void;
}

/** The ends of all paths that are asked for, by method. */
const KINDS: readonly (readonly [RegExp, CallKind])[] = [
  [/^POST \S+\/instances\/[^/]+\/action$/, 'action'],
  [/^GET \S+\/cas\/jobs\/[^/]+$/, 'cloudJob'],
  [/^GET \S+\/instances\/[^/]+\/snapshots$/, 'snapshots'],
  [/^GET \S+\/instances\/[^/]+$/, 'instance'],
  [/^GET \S+\/instances$/, 'instances'],
  [/^GET \S+\/components$/, 'components'],
  [/^GET \S+\/applications$/, 'applications'],
  [/^POST \S*\/auth\/tokens$/, 'token'],
  [/^GET \S+\/OS-CREDENTIAL\//, 'user'],
];

/** What a request asks for. @param path not encoded, without query */
export function callKindOf(method: string, path: string): CallKind {
  return KINDS.find(([pattern]) => pattern.test(`${method} ${path}`))?.[1] ?? 'other';
}

/** The same client, whose requests are reported. */
export function observedHttp(http: HttpClient, observer: ServiceStageObserver | undefined): HttpClient {
  if (observer === undefined) return http;
  return {
    clockAheadMs: () => http.clockAheadMs(),
    send: async (request) => {
      const kind = callKindOf(request.method, request.path);
      const startedAtMs = performance.now();
      const report = (status: string) => observer.called({ kind, status, tookMs: performance.now() - startedAtMs });
      try {
        const answer = await http.send(request);
        report(String(answer.status));
        return answer;
      } catch (error) {
        report(statusOf(error));
        throw error;
      }
    },
  };
}

function statusOf(error: unknown): string {
  if (!(error instanceof ServiceStageError)) return 'notSent';
  if (error.httpStatus !== undefined) return String(error.httpStatus);
  return error.code === 'UnreadableAnswer' ? 'unreadable' : 'none';
}

type Budget = Pick<RequestBudget, 'acquire' | 'giveBack' | 'closeFor'>;

/** The same budget, whose waits are reported. */
export function observedBudget(budget: Budget, observer: ServiceStageObserver | undefined): Budget {
  if (observer === undefined) return budget;
  return {
    giveBack: () => budget.giveBack(),
    acquire: async (priority, withinMs, signal) => {
      const startedAtMs = performance.now();
      const granted = await budget.acquire(priority, withinMs, signal);
      observer.waitedForBudget(priority, performance.now() - startedAtMs, granted);
      return granted;
    },
    closeFor: (durationMs) => {
      observer.throttled();
      budget.closeFor(durationMs);
    },
  };
}
