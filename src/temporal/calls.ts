/** Calls to Temporal with a deadline and a signal, and the translation of its errors into ours. */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import {
  isGrpcServiceError,
  NamespaceNotFoundError,
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { AccessDenied, ClientClosed, RunNotFound, ServerUnreachable } from './errors.js';

/** https://grpc.io/docs/guides/status-codes/ */
export const GRPC = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  busy: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
};
/**
 * Codes that servers and proxies return while they restart, are overloaded or move a shard. They are unrelated to
 * the request.
 */
const AWAY: readonly number[] = [
  GRPC.cancelled,
  GRPC.unknown,
  GRPC.deadlineExceeded,
  GRPC.busy,
  GRPC.aborted,
  GRPC.outOfRange,
  GRPC.internal,
  GRPC.unavailable,
  GRPC.dataLoss,
];
const REFUSED: readonly number[] = [GRPC.permissionDenied, GRPC.unauthenticated];

/** Makes calls through one client until it is closed. gRPC enforces the deadline of each. */
export class Calls {
  readonly #underWay = new Set<Promise<unknown>>();
  /** One controller for each call and pause that `close` ends. */
  readonly #interruptible = new Set<AbortController>();
  #closed = false;

  constructor(readonly client: Client) {}

  /**
   * Makes a call with a deadline of `timeoutMs` from now.
   * @throws the signal's reason or `ClientClosed`, at once; otherwise what the call throws
   */
  async interruptible<Value>(
    timeoutMs: number,
    signal: AbortSignal | undefined,
    call: () => Promise<Value>,
  ): Promise<Value> {
    return this.#interruptibly(signal, (interrupt) => {
      interrupt.throwIfAborted();
      const send = () => this.client.withAbortSignal(interrupt, call);
      return this.#follow(this.client.withDeadline(Date.now() + timeoutMs, send));
    });
  }

  /** Makes a call that changes something: nothing interrupts it, and `close` waits for its answer. */
  async uninterruptible<Value>(timeoutMs: number, call: () => Promise<Value>): Promise<Value> {
    if (this.#closed) throw new ClientClosed();
    return this.#follow(this.client.withDeadline(Date.now() + timeoutMs, call));
  }

  /** Resolves after the pause, or at once if the signal is aborted or the client is closed. */
  async pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    await this.#interruptibly(signal, (interrupt) => delay(ms, undefined, { signal: interrupt })).catch(() => {});
  }

  /**
   * Refuses later calls and resolves after the last one has ended. A connection that belongs to the caller may be
   * closed only then.
   */
  async close(): Promise<void> {
    this.#closed = true;
    for (const controller of this.#interruptible) controller.abort(new ClientClosed());
    await Promise.allSettled(this.#underWay);
  }

  /**
   * Uses a controller for each call, because the SDK adds a listener to its signal for every request and removes
   * none.
   */
  async #interruptibly<Value>(
    signal: AbortSignal | undefined,
    act: (interrupt: AbortSignal) => Promise<Value>,
  ): Promise<Value> {
    const controller = new AbortController();
    const abort = () => controller.abort(signal?.reason);
    const interrupted = new Promise<never>((_resolve, reject) =>
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason as Error)),
    );
    interrupted.catch(() => {});
    // One call may make a request for each target, and many calls may share the caller's signal; neither is a leak.
    setMaxListeners(0, controller.signal, ...(signal === undefined ? [] : [signal]));
    if (signal?.aborted === true) abort();
    else if (this.#closed) controller.abort(new ClientClosed());
    signal?.addEventListener('abort', abort, { once: true });
    this.#interruptible.add(controller);
    try {
      return await Promise.race([interrupted, act(controller.signal)]);
    } finally {
      this.#interruptible.delete(controller);
      signal?.removeEventListener('abort', abort);
    }
  }

  #follow<Value>(answer: Promise<Value>): Promise<Value> {
    const end = () => this.#underWay.delete(answer);
    this.#underWay.add(answer);
    answer.then(end, end);
    return answer;
  }
}

/** The status code of a gRPC error, bare or wrapped by the SDK; `null` for every other error. */
export function grpcCodeOf(error: unknown): number | null {
  const inner = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(inner) ? inner.code : null;
}

/** True if Temporal refuses the credentials, bare or wrapped by the SDK. */
export function isRefusal(error: unknown): boolean {
  const code = grpcCodeOf(error);
  return code !== null && REFUSED.includes(code);
}

/** True if the time limit of the call, or of the server's own wait, was reached. */
export function ranOutOfTime(error: unknown): boolean {
  return grpcCodeOf(error) === GRPC.deadlineExceeded;
}

/** The server's own failures of an update, by its types: its worker dropped it unread (seen with many at once, SDK 1.24), or the workflow ended first. */
const FAILED_BY_SERVER: ReadonlyMap<string, 'unread' | 'ended'> = new Map([
  ['UnprocessedUpdate', 'unread'],
  ['AcceptedUpdateCompletedWorkflow', 'ended'],
]);

/** Why the server failed an update itself; `null` for every other error, such as an update that the workflow refused. */
export function failedByServer(error: unknown): 'unread' | 'ended' | null {
  if (!(error instanceof WorkflowUpdateFailedError) || !(error.cause instanceof ApplicationFailure)) return null;
  return FAILED_BY_SERVER.get(error.cause.type ?? '') ?? null;
}

/** The message of the SDK's converter about a payload that no codec has decoded. */
const NO_CODEC = 'Unknown encoding: binary/';

/** Translates an error of the SDK into one of `errors.ts`; other errors are returned unchanged. */
export function toClientError(error: unknown, workflowId: string | null): unknown {
  if (error instanceof WorkflowNotFoundError && workflowId !== null)
    return new RunNotFound(workflowId, { cause: error });
  if (error instanceof NamespaceNotFoundError)
    return new AccessDenied(`Temporal has no namespace "${error.namespace}"`, { cause: error });
  if (error instanceof Error && error.message.startsWith(NO_CODEC))
    return new AccessDenied(
      'It is encrypted, and this process has no key for it: set RUNBOOK_ENCRYPTION_KEYS or RUNBOOK_CODEC, or give RunbookClient the codec of the workers',
      { cause: error },
    );
  const code = grpcCodeOf(error);
  if (code === null) return error;
  if (code === GRPC.notFound)
    return workflowId === null
      ? new AccessDenied(`Temporal cannot find it: ${reasonOf(error)}`, { cause: error })
      : new RunNotFound(workflowId, { cause: error });
  if (isRefusal(error))
    return new AccessDenied(`Temporal refuses the credentials: ${reasonOf(error)}`, { cause: error });
  if (AWAY.includes(code))
    return new ServerUnreachable(`Temporal cannot be reached: ${reasonOf(error)}`, { cause: error, workflowId });
  return error;
}

/** The innermost message in plain words, without gRPC's status and without empty notes. */
export function reasonOf(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  if (!(innermost instanceof Error)) return String(innermost);
  const code = grpcCodeOf(innermost);
  if (code === GRPC.deadlineExceeded || innermost.message === NOT_IN_TIME) return 'it did not answer in time';
  const { details } = innermost as { details?: unknown };
  const text = code !== null && typeof details === 'string' && details !== '' ? details : innermost.message;
  const lastError =
    /^No connection established\.(?: Last error: (?:Error: )?(.*?)\.?)?(?: Resolution note: (.*))?$/s.exec(text);
  if (lastError === null) return text;
  const [, why = '', note = ''] = lastError;
  return (
    [plainCause(why), note].filter((part) => part !== '' && part !== 'null').join(', ') || 'no connection could be made'
  );
}

/** Why a connection failed, without the codes of Node and OpenSSL. */
function plainCause(why: string): string {
  // `80FC30A7EB7F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/…:350:`
  const ofOpenSsl = /^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(why)?.[1];
  if (ofOpenSsl === 'wrong version number') return 'it does not use TLS';
  // gRPC's text for a connection that was closed without a reason, with the time.
  if (/^Failed to connect \([^)]*\)$/.test(why))
    return 'it closed the connection at once, as one that expects TLS does';
  return ofOpenSsl ?? why.replace(/^Error \[ERR_\w+\]: /, '');
}

/** gRPC's message for a connection that was not made in time. */
const NOT_IN_TIME = 'Failed to connect before the deadline';
