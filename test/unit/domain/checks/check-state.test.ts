/** When a check passes, fails and asks again: laws over drawn services in virtual time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterAnswer,
  beginCheck,
  memoryOf,
  type CheckMemory,
  type CheckNext,
} from '../../../../src/domain/checks/check-state.js';

const LONGEST_GAP_MS = 5_000;
const START_MS = 1_000_000;

interface Service {
  /** Lengths of the times in which it answers as wanted and not, in turn, beginning with not. */
  readonly turnsMs: readonly number[];
  readonly latencyMs: number;
}

interface Play {
  readonly next: CheckNext;
  readonly endedAtMs: number;
  /** When each request was sent and answered, and whether the answer was the wanted one. */
  readonly requests: readonly { readonly sentAtMs: number; readonly answeredAtMs: number; readonly isMet: boolean }[];
}

/** What the service answers at a moment: that of the moment at which the request arrives, half-way. */
function isUp({ turnsMs }: Service, atMs: number): boolean {
  let left = atMs - START_MS;
  for (const [index, turn] of turnsMs.entries()) {
    if (left < turn) return index % 2 === 1;
    left -= turn;
  }
  return turnsMs.length % 2 === 1;
}

function play(
  check: { readonly withinMs: number; readonly stableMs: number },
  service: Service,
  {
    deadlineAtMs = Number.MAX_SAFE_INTEGER,
    memory = null,
    fromMs = START_MS,
    forRequests = Infinity,
  }: {
    readonly deadlineAtMs?: number;
    readonly memory?: CheckMemory | null;
    readonly fromMs?: number;
    readonly forRequests?: number;
  } = {},
): Play & { readonly memory: CheckMemory } {
  let state = beginCheck(check, memory, fromMs, deadlineAtMs);
  let nowMs = fromMs;
  const requests: Play['requests'][number][] = [];
  for (;;) {
    const sentAtMs = nowMs;
    const isMet = isUp(service, sentAtMs + service.latencyMs / 2);
    nowMs += service.latencyMs;
    requests.push({ sentAtMs, answeredAtMs: nowMs, isMet });
    const unmet = isMet ? [] : ['status 503, and 200 is wanted'];
    const after = afterAnswer(check, state, { sentAtMs, answeredAtMs: nowMs, unmet, isFinal: false });
    ({ state } = after);
    const { next } = after;
    if (next.kind !== 'ask' || requests.length >= forRequests)
      return { next, endedAtMs: nowMs, requests, memory: memoryOf(state) };
    expect(next.inMs).toBeGreaterThan(0);
    expect(next.inMs).toBeLessThanOrEqual(LONGEST_GAP_MS);
    nowMs += next.inMs;
    expect(requests.length).toBeLessThan(10_000);
  }
}

const aCheck = fc.record({
  withinMs: fc.integer({ min: 0, max: 300_000 }),
  stableMs: fc.integer({ min: 0, max: 120_000 }),
});
const aService = fc.record({
  turnsMs: fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 8 }),
  latencyMs: fc.integer({ min: 0, max: 5_000 }),
});

describe('a check', () => {
  it('passes only after wanted answers in a row for at least the stable time', () => {
    fc.assert(
      fc.property(aCheck, aService, (check, service) => {
        const { next, requests } = play(check, service);
        if (next.kind !== 'passed') return;
        const last = requests.at(-1);
        const firstOfRow = requests[requests.findLastIndex(({ isMet }) => !isMet) + 1];
        expect(last?.isMet).toBe(true);
        const heldMs = (last?.sentAtMs ?? 0) - (firstOfRow?.answeredAtMs ?? 0);
        if (check.stableMs > 0) expect(heldMs).toBeGreaterThanOrEqual(check.stableMs);
        expect(next.heldMs).toBe(Math.max(0, heldMs));
      }),
    );
  });

  it('fails only when its time to appear is over and the last answer was not the wanted one', () => {
    fc.assert(
      fc.property(aCheck, aService, (check, service) => {
        const { next, requests, endedAtMs } = play(check, service);
        if (next.kind !== 'failed') return;
        expect(requests.at(-1)?.isMet).toBe(false);
        expect(endedAtMs).toBeGreaterThanOrEqual(START_MS + check.withinMs);
      }),
    );
  });

  it('is over within its two times, and some requests', () => {
    fc.assert(
      fc.property(aCheck, aService, (check, service) => {
        const { endedAtMs } = play(check, service);
        const longestMs = check.withinMs + check.stableMs + 3 * service.latencyMs + LONGEST_GAP_MS;
        expect(endedAtMs - START_MS).toBeLessThanOrEqual(longestMs);
      }),
    );
  });

  it('passes where the service is as wanted early enough and stays so', () => {
    fc.assert(
      fc.property(aCheck, fc.nat(200_000), fc.integer({ min: 0, max: 5_000 }), (check, upAfterMs, latencyMs) => {
        fc.pre(upAfterMs + LONGEST_GAP_MS + 2 * latencyMs < check.withinMs);
        expect(play(check, { turnsMs: [upAfterMs], latencyMs }).next.kind).toBe('passed');
      }),
    );
  });

  it('never passes where the service is up for less than the stable time and down for longer than a gap', () => {
    const turns = fc.tuple(fc.integer({ min: 12_000, max: 30_000 }), fc.integer({ min: 0, max: 29_000 }));
    fc.assert(
      fc.property(
        fc.array(turns, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 0, max: 3_000 }),
        (pairs, latencyMs) => {
          const check = { withinMs: 120_000, stableMs: 30_000 };
          const turnsMs = [...pairs.flat(), 10_000_000];
          expect(play(check, { turnsMs, latencyMs }).next.kind).toBe('failed');
        },
      ),
    );
  });

  it('ends at the deadline of the run at the latest, one request aside', () => {
    fc.assert(
      fc.property(aCheck, aService, fc.nat(300_000), (check, service, leftMs) => {
        const deadlineAtMs = START_MS + leftMs;
        const { next, endedAtMs } = play(check, service, { deadlineAtMs });
        expect(endedAtMs).toBeLessThanOrEqual(deadlineAtMs + Math.max(1, service.latencyMs) + 1);
        if (next.kind === 'late') expect(endedAtMs).toBeGreaterThanOrEqual(deadlineAtMs);
      }),
    );
  });

  it('begins to hold again after the loss of a worker, and asks at least once however late that is', () => {
    fc.assert(
      fc.property(aCheck, fc.integer({ min: 1, max: 20 }), fc.nat(600_000), (check, forRequests, awayMs) => {
        const service = { turnsMs: [0], latencyMs: 10 };
        const first = play(check, service, { forRequests });
        if (first.next.kind !== 'ask') return;
        const fromMs = first.endedAtMs + awayMs;
        const second = play(check, service, { memory: first.memory, fromMs });
        expect(second.next.kind).toBe('passed');
        expect(second.endedAtMs - fromMs).toBeGreaterThanOrEqual(check.stableMs);
        expect(second.memory.requests).toBe(first.requests.length + second.requests.length);
      }),
    );
  });

  it('keeps the time of its first attempt over the loss of a worker', () => {
    const check = { withinMs: 60_000, stableMs: 0 };
    const down = { turnsMs: [10_000_000], latencyMs: 10 };
    const { memory } = play(check, down, { forRequests: 3 });
    const second = play(check, down, { memory, fromMs: START_MS + 30_000 });
    expect(second.next.kind).toBe('failed');
    expect(second.endedAtMs - START_MS).toBeLessThan(60_000 + LONGEST_GAP_MS);
  });

  it('does not count time in which its process did not run', () => {
    const check = { withinMs: 60_000, stableMs: 20_000 };
    const met = (sentAtMs: number) => ({ sentAtMs, answeredAtMs: sentAtMs + 10, unmet: [], isFinal: false });
    const first = afterAnswer(check, beginCheck(check, null, START_MS, Infinity), met(START_MS));
    const later = afterAnswer(check, first.state, met(START_MS + 50_000));
    expect(later.next.kind).toBe('ask');
    expect(later.state.heldSinceMs).toBe(START_MS + 50_010);
  });

  it('fails at once where asking again does not help', () => {
    const check = { withinMs: 60_000, stableMs: 0 };
    const judged = { sentAtMs: START_MS, answeredAtMs: START_MS, unmet: ['not allowed'], isFinal: true };
    expect(afterAnswer(check, beginCheck(check, null, START_MS, Infinity), judged).next.kind).toBe('failed');
  });

  it('reports to a watch why it fails, how often, since when and until when', () => {
    const check = { withinMs: 60_000, stableMs: 0 };
    const { memory } = play(check, { turnsMs: [10_000_000], latencyMs: 10 }, { forRequests: 3 });
    const reason = 'status 503, and 200 is wanted';
    const untilMs = START_MS + 60_000;
    expect(memory.retrying).toEqual({ reason, failures: 3, sinceMs: START_MS + 10, untilMs });
  });
});
