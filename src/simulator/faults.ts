/**
 * Faults that a tester arms for the n-th matching request: what goes wrong on the wire, before or after the cloud
 * acts.
 */
import { z } from 'zod';

const milliseconds = z.number().min(0);

/** One fault; "acts" means that the simulated cloud accepts the action. */
export const Fault = z.discriminatedUnion('kind', [
  /** Answers without acting. */
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(200).max(599),
    code: z.string().optional(),
    message: z.string().optional(),
    /** Sent unchanged instead of an error body. */
    body: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
  z.strictObject({
    kind: z.literal('throttle'),
    limit: z.int().default(5),
    windowSeconds: z.number().default(1),
    retryAfterSeconds: z.number().optional(),
  }),
  z.strictObject({ kind: z.literal('tokenExpired') }),
  /** Resets the connection without acting. */
  z.strictObject({ kind: z.literal('reset') }),
  /** Answers nothing for that long, then resets the connection, without acting. */
  z.strictObject({ kind: z.literal('hang'), ms: milliseconds }),
  /** Delays an otherwise normal answer. */
  z.strictObject({ kind: z.literal('delay'), ms: milliseconds }),
  /** Answers 2xx with an unusable body, without acting. */
  z.strictObject({
    kind: z.literal('wrongBody'),
    body: z.string().default('<html>OK</html>'),
    contentType: z.string().default('text/html'),
  }),
  /** Answers 2xx with nested arrays, without acting. */
  z.strictObject({ kind: z.literal('nested'), levels: z.int().min(1).max(4_000_000) }),
  z.strictObject({ kind: z.literal('redirect'), location: z.string().default('/elsewhere') }),
  /** Acts, then resets the connection before the answer. The accepted job may also become visible late. */
  z.strictObject({
    kind: z.literal('actThenReset'),
    visibleLateMs: milliseconds.optional(),
    statusLateMs: milliseconds.default(0),
  }),
  z.strictObject({ kind: z.literal('actThenStatus'), status: z.int().min(200).max(599) }),
  z.strictObject({ kind: z.literal('actThenHang'), ms: milliseconds }),
  /** Acts and answers 2xx without a job id. */
  z.strictObject({ kind: z.literal('actThenWrongBody'), body: z.string().default('{}') }),
  /** Acts, then cuts the body in the middle. */
  z.strictObject({ kind: z.literal('truncate') }),
  /** Resets the connection at once and accepts the action later. */
  z.strictObject({ kind: z.literal('actLate'), ms: milliseconds }),
  /** Acts and answers normally; the cloud job appears in `last_job_id` late. */
  z.strictObject({ kind: z.literal('visibleLate'), ms: milliseconds, statusMs: milliseconds.default(0) }),
]);
/** One fault, as armed. */
export type Fault = z.infer<typeof Fault>;

const ROUTES = [
  'action',
  'job',
  'instance',
  'snapshots',
  'applications',
  'components',
  'instances',
  'token',
  'credential',
  'metadataToken',
  'securityKey',
  'any',
] as const;
/** Kinds of requests that a fault can match. */
export type Route = (typeof ROUTES)[number];

/** A fault and the requests that it applies to. */
export const ArmedFault = z.strictObject({
  on: z
    .strictObject({
      route: z.enum(ROUTES).default('any'),
      action: z.string().optional(),
      instanceId: z.string().optional(),
    })
    .prefault({}),
  /** Counts matching requests from now on; the first is 1. */
  nth: z.int().min(1).default(1),
  times: z.int().min(1).default(1),
  /** Instead of `times`: applies to every matching request for this long, from the first one it applies to. */
  forMs: milliseconds.optional(),
  fault: Fault,
});
/** A fault and the requests that it applies to, as armed. */
export type ArmedFault = z.infer<typeof ArmedFault>;

/** The facts of a request that a fault can match. */
export interface MatchableRequest {
  readonly route: Route;
  readonly action?: string | undefined;
  readonly instanceId?: string | undefined;
}

interface Entry {
  readonly id: number;
  readonly armed: ArmedFault;
  seen: number;
  readonly hitAtMs: number[];
}

/** The armed faults. */
export class Faults {
  #entries: Entry[] = [];
  #nextId = 1;

  arm(armed: ArmedFault): number {
    this.#entries.push({ id: this.#nextId, armed, seen: 0, hitAtMs: [] });
    return this.#nextId++;
  }

  disarm(): void {
    this.#entries = [];
  }

  list(): readonly (ArmedFault & { id: number; hits: number; hitAtMs: readonly number[] })[] {
    return this.#entries.map(({ id, hitAtMs, armed }) => ({ id, hits: hitAtMs.length, hitAtMs, ...armed }));
  }

  /** The fault for this request, if any. Every matching entry counts the request. */
  hit(request: MatchableRequest, nowMs: number): Fault | null {
    let found: Fault | null = null;
    for (const entry of this.#entries.filter(({ armed }) => matches(armed, request))) {
      entry.seen++;
      const { nth, fault } = entry.armed;
      if (found === null && entry.seen >= nth && !isOver(entry, nowMs)) {
        entry.hitAtMs.push(nowMs);
        found = fault;
      }
    }
    return found;
  }
}

function isOver({ armed: { nth, times, forMs }, seen, hitAtMs: [firstHitAtMs] }: Entry, nowMs: number): boolean {
  if (forMs === undefined) return seen >= nth + times;
  return firstHitAtMs !== undefined && nowMs - firstHitAtMs >= forMs;
}

function matches({ on }: ArmedFault, request: MatchableRequest): boolean {
  return (
    (on.route === 'any' || on.route === request.route) &&
    (on.action === undefined || on.action === request.action) &&
    (on.instanceId === undefined || on.instanceId === request.instanceId)
  );
}
