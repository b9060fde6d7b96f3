/** A connection to Temporal that can be closed while calls are in flight. Every connection of this project is one. */
import {
  InterceptingCall,
  Metadata,
  status,
  type Interceptor,
  type InterceptorOptions,
  type NextCall,
  type StatusObject,
} from '@grpc/grpc-js';
import {
  Connection,
  defaultGrpcRetryOptions,
  isGrpcServiceError,
  ServiceError,
  type ConnectionOptions,
  type GrpcRetryOptions,
} from '@temporalio/client';

type GrpcCall = ReturnType<NextCall>;

/** Chosen: the channel knows at once; a call may be sent into the pause between two of its attempts. */
const EXPLANATION_MS = 2_000;
const NO_RETRIES: GrpcRetryOptions = { retryableDecider: () => false, delayFunction: () => 0 };

/**
 * The SDK's `Connection` closes its channel without ending its calls. A call that then fails is retried by a timer,
 * gRPC throws "Channel has been shut down" there, and the process ends. This class first ends the calls with the
 * status CANCELLED.
 */
export class ClosableConnection extends Connection {
  #calls = new CallsInFlight([], NO_RETRIES);

  /**
   * Connects at the first call. `interceptors` replace the retries, as they do for the SDK's `Connection`.
   * @param retries when a call is retried; default: the SDK's rules
   */
  static override lazy(
    { interceptors, ...options }: ConnectionOptions = {},
    retries: GrpcRetryOptions = interceptors === undefined ? defaultGrpcRetryOptions() : NO_RETRIES,
  ): ClosableConnection {
    const calls = new CallsInFlight(interceptors ?? [], retries);
    const connection = super.lazy({ ...options, interceptors: calls.interceptors }) as ClosableConnection;
    connection.#calls = calls;
    return connection;
  }

  /** Connects at once; leaves nothing open if that fails. @throws what the SDK's `Connection.connect` throws */
  static override async connect(options: ConnectionOptions = {}): Promise<ClosableConnection> {
    const connection = this.lazy(options);
    try {
      await connection.ensureConnected();
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** As the SDK's. A connection that could not be made in time is explained by its last attempt, such as by a certificate that is not trusted. */
  override async ensureConnected(): Promise<void> {
    try {
      await super.ensureConnected();
    } catch (error) {
      if (isGrpcServiceError(error) || error instanceof ServiceError) throw error;
      await this.#explain(error);
    }
  }

  /** The SDK (1.24) waits until the channel is ready, and then knows only that time ran out. A call on a channel that failed gets the reason. */
  async #explain(otherwise: unknown): Promise<void> {
    // The first failure explains it; a retry could meet the next attempt to connect, and wait for it until time runs out.
    const { retries } = this.#calls;
    this.#calls.retries = NO_RETRIES;
    try {
      await this.withDeadline(Date.now() + EXPLANATION_MS, () => this.workflowService.getSystemInfo({}));
    } catch (error) {
      throw isGrpcServiceError(error) && error.code === status.UNAVAILABLE ? error : otherwise;
    } finally {
      this.#calls.retries = retries;
    }
  }

  /** Ends every call in flight and every pause between retries. Later calls end with CANCELLED as well. */
  override async close(): Promise<void> {
    this.#calls.end();
    await super.close();
  }
}

class CallsInFlight {
  readonly interceptors: Interceptor[];
  readonly #cancels = new Set<() => void>();
  #ended = false;

  constructor(
    given: readonly Interceptor[],
    public retries: GrpcRetryOptions,
  ) {
    this.interceptors = [
      (options, nextCall) => this.#follow(options, nextCall, this.retries),
      ...given,
      // Must be the last one before the channel, so that retries of the caller's interceptors cannot reach a closed
      // channel.
      (options, nextCall) => new InterceptingCall(this.#ended ? ENDED_CALL : nextCall(options)),
    ];
  }

  end(): void {
    this.#ended = true;
    for (const cancel of this.#cancels) cancel();
  }

  /**
   * Retries by the given rules. Unlike the SDK's interceptor (1.24), a cancel also ends the pause between two tries,
   * and no pause outlasts the call's deadline, because the last error explains more than DEADLINE_EXCEEDED.
   */
  #follow(options: InterceptorOptions, nextCall: NextCall, rules: GrpcRetryOptions): InterceptingCall {
    const deadlineAtMs = Number(options.deadline ?? Infinity);
    let current = nextCall(options);
    let request: unknown;
    let cancel = () => {};
    return new InterceptingCall(current, {
      start: (metadata, listener, next) => {
        let attempt = 1;
        let answer: unknown = null;
        let pause: NodeJS.Timeout | undefined;
        const finish = (final: StatusObject) => {
          if (!this.#cancels.delete(cancel)) return;
          clearTimeout(pause);
          listener.onReceiveMessage(answer);
          listener.onReceiveStatus(final);
        };
        const each = {
          onReceiveMetadata: () => {},
          onReceiveMessage: (message: unknown) => (answer = message),
          onReceiveStatus: (received: StatusObject) => {
            if (!this.#cancels.has(cancel)) return;
            const delayMs = rules.delayFunction(attempt, received);
            const isFinal = !rules.retryableDecider(attempt, received) || Date.now() + delayMs >= deadlineAtMs;
            if (isFinal) finish(received);
            else pause = setTimeout(tryAgain, delayMs);
          },
        };
        const tryAgain = () => {
          attempt++;
          answer = null;
          current = nextCall(options);
          current.start(metadata, each);
          current.sendMessage(request);
          current.halfClose();
        };
        cancel = () => {
          current.cancelWithStatus(CANCELLED.code, CANCELLED.details);
          finish(CANCELLED);
        };
        this.#cancels.add(cancel);
        next(metadata, each);
      },
      sendMessage: (message: unknown, next) => {
        request = message;
        next(message);
      },
      cancel: () => cancel(),
    });
  }
}

const CANCELLED: StatusObject = {
  code: status.CANCELLED,
  details: 'The call was cancelled, or its connection closed',
  metadata: new Metadata(),
};

/** A call on a closed connection: it has already ended. */
const ENDED_CALL: GrpcCall = {
  start: (_metadata, listener) => {
    listener?.onReceiveMessage?.(null);
    listener?.onReceiveStatus?.(CANCELLED);
  },
  cancelWithStatus: () => {},
  getPeer: () => '',
  sendMessage: () => {},
  sendMessageWithContext: () => {},
  startRead: () => {},
  halfClose: () => {},
  getAuthContext: () => null,
};
