/** Faults a tester arms on the n-th matching request: what goes wrong on the wire, before or after the cloud acted. One row a kind. */
import { z } from 'zod';

const milliseconds = z.number().min(0);

export const Fault = z.discriminatedUnion('kind', [
  /** Answered without acting. */
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(200).max(599),
    code: z.string().optional(),
    message: z.string().optional(),
    /** Sent as it is instead of an error body. */
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
  /** Connection reset without acting. */
  z.strictObject({ kind: z.literal('reset') }),
  /** No answer for that long, then a reset, without acting. */
  z.strictObject({ kind: z.literal('hang'), ms: milliseconds }),
  /** Late, but otherwise as usual. */
  z.strictObject({ kind: z.literal('delay'), ms: milliseconds }),
  /** 2xx with nonsense, without acting. */
  z.strictObject({
    kind: z.literal('wrongBody'),
    body: z.string().default('<html>OK</html>'),
    contentType: z.string().default('text/html'),
  }),
  /** 2xx with arrays in arrays, without acting. */
  z.strictObject({ kind: z.literal('nested'), levels: z.int().min(1).max(4_000_000) }),
  z.strictObject({ kind: z.literal('redirect'), location: z.string().default('/elsewhere') }),
  /** Acts, then the connection is reset before the answer. What was accepted may show only later, too. */
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
  /** The connection is reset at once; the action is accepted that much later. */
  z.strictObject({ kind: z.literal('actLate'), ms: milliseconds }),
  /** Acts and answers as usual; the cloud job shows in `last_job_id` only later. */
  z.strictObject({ kind: z.literal('visibleLate'), ms: milliseconds, statusMs: milliseconds.default(0) }),
]);
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
  'any',
] as const;
export type Route = (typeof ROUTES)[number];

export const ArmedFault = z.strictObject({
  on: z
    .strictObject({
      route: z.enum(ROUTES).default('any'),
      action: z.string().optional(),
      instanceId: z.string().optional(),
    })
    .prefault({}),
  /** The first matching request from now is 1. */
  nth: z.int().min(1).default(1),
  times: z.int().min(1).default(1),
  /** Instead of a number of times: every matching request for that long, from the first it hits. */
  forMs: milliseconds.optional(),
  fault: Fault,
});
export type ArmedFault = z.infer<typeof ArmedFault>;

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

  /** The fault that hits this request, if any; every matching entry counts it. */
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
