/** What `runbook doctor` asks and finds out. Nothing here is judged yet: `judge.ts` does that. */
import type { Problem } from '../domain/failures.js';
import type { NoAnswer } from '../domain/no-answer.js';
import type { Poller } from '../domain/run/run-facts.js';

/** The answer to one question. */
export type Answer<Value> =
  | { readonly kind: 'answer'; readonly value: Value }
  | ({ readonly kind: 'failed' } & NoAnswer)
  /** Not asked; `why` ends the sentence "not checked: …". */
  | { readonly kind: 'unasked'; readonly why: string };

/** What the credentials for Temporal must allow. Each is tried with a call that cannot change anything. */
export const RIGHTS = ['list', 'start', 'signal', 'update', 'query', 'cancel'] as const;
/** One of them. */
export type Right = (typeof RIGHTS)[number];

/** What Temporal answers. Times are in milliseconds. */
export interface TemporalFacts {
  /** `host:port` */
  readonly address: string;
  /** The proxy on the way; `null`: none. */
  readonly proxy: string | null;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly secured: { readonly tls: boolean; readonly apiKey: boolean };
  /** When our own certificate expires; `null`: we have none. */
  readonly certificateExpiresAtMs: number | null;
  /** The version of the server. */
  readonly server: Answer<string>;
  /** Retention of closed runs; `null`: the server does not say. */
  readonly retentionMs: Answer<number | null>;
  /** Search attributes that the namespace lacks, as `Name (Type)`. */
  readonly missingAttributes: Answer<readonly string[]>;
  readonly rights: Readonly<Record<Right, Answer<true>>>;
  readonly pollers: Answer<readonly Poller[]>;
}

/** What ServiceStage and IAM answer. */
export interface ServiceStageFacts {
  readonly endpoint: string;
  readonly projectId: string;
  /** How we sign in. */
  readonly signIn: 'accessKey' | 'keyFiles' | 'ecsAgency' | 'token' | 'password';
  /** The key is temporary, and nothing renews it. */
  readonly isTemporary: boolean;
  /** How many applications there are. */
  readonly applications: Answer<number>;
  /** The path of an instance that was read; `null`: there is none. */
  readonly instance: Answer<string | null>;
  /** Whether the snapshots of that instance can be listed. */
  readonly snapshots: Answer<true>;
  /** Our own user id; `null`: IAM does not say. */
  readonly user: Answer<string | null>;
  /** Our clock minus ServiceStage's, milliseconds; `null`: no answer had a date. */
  readonly clockAheadMs: number | null;
}

/** Files of one kind that were read. */
export interface FilesRead {
  readonly count: number;
  readonly problems: readonly Problem[];
}

/** What is in the files that the configuration names. */
export interface FileFacts {
  readonly runbooks: Answer<FilesRead>;
  readonly calendars: Answer<FilesRead>;
  readonly alarms: Answer<FilesRead>;
  readonly notifications: Answer<FilesRead>;
  /** Files named on the command line, such as those of schedules. */
  readonly given: Answer<FilesRead>;
}

/** What the environment holds. */
export interface ConfigurationFacts {
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
  /** Variables whose secrets are in files. */
  readonly secretsInFiles: readonly string[];
}

/** All facts of an installation. `null`: nothing could be asked, because the configuration has problems. */
export interface Facts {
  /** Epoch milliseconds. */
  readonly nowMs: number;
  readonly configuration: ConfigurationFacts;
  readonly temporal: TemporalFacts | null;
  readonly serviceStage: ServiceStageFacts | null;
  readonly files: FileFacts | null;
}

/** Waits for an answer, but not for ever. @param noAnswerOf sorts what a question throws */
export async function answerWithin<Value>(
  timeoutMs: number,
  noAnswerOf: (error: unknown) => NoAnswer,
  ask: () => Promise<Value>,
): Promise<Answer<Value>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Answer<Value>>((resolve) => {
    const reason = `no answer within ${timeoutMs / 1_000} s`;
    timer = setTimeout(() => resolve({ kind: 'failed', cause: 'unreachable', reason }), timeoutMs);
  });
  const asked = ask().then(
    (value): Answer<Value> => ({ kind: 'answer', value }),
    (error: unknown): Answer<Value> => ({ kind: 'failed', ...noAnswerOf(error) }),
  );
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
