/** When a worker polls its cloud jobs, in virtual time: it sleeps until the time it is given, and is woken when more was learned. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CloudJobWatch } from '../../../src/activities/cloud-job-watch.js';
import { Durations, type JobKind } from '../../../src/domain/durations/durations.js';
import { plainPollMs } from '../../../src/domain/durations/plain-rule.js';
import type { PollCommand } from '../../../src/domain/once/events.js';

const BEGIN_MS = 1_800_000_000_000;
const STOP: JobKind = { action: 'stop', componentId: 'shop/checkout' };
const START: JobKind = { action: 'start', componentId: 'shop/checkout' };

/** Polls when the test decides. */
class FixedDurations extends Durations {
  pollAtMs = 60_000;
  versions: Partial<Record<JobKind['action'], number>> = {};
  asked: Parameters<Durations['nextPollAtMs']>[1][] = [];
  readonly reported: unknown[][] = [];

  override nextPollAtMs(_kind: JobKind, job: Parameters<Durations['nextPollAtMs']>[1]): number {
    this.asked.push(job);
    return this.pollAtMs;
  }

  override version({ action }: JobKind): number {
    return this.versions[action] ?? 0;
  }

  override ended(...given: Parameters<Durations['ended']>): void {
    this.reported.push(['ended', ...given]);
  }

  override running(...given: Parameters<Durations['running']>): void {
    this.reported.push(['running', ...given]);
  }

  override dropped(...given: Parameters<Durations['dropped']>): void {
    this.reported.push(['dropped', ...given]);
  }
}

let durations: FixedDurations;
let watch: CloudJobWatch;
beforeEach(() => {
  vi.useFakeTimers({ now: BEGIN_MS });
  durations = new FixedDurations();
  watch = new CloudJobWatch(durations);
});
afterEach(() => {
  vi.useRealTimers();
});

/** A poll of a cloud job that was submitted, and followed, from the beginning. */
function aPoll(change: Partial<PollCommand> = {}): PollCommand {
  return {
    kind: 'poll',
    cloudJobId: 'J1',
    submittedAtMs: BEGIN_MS,
    sinceMs: BEGIN_MS,
    polls: 0,
    lastRunningAtMs: null,
    latestAtMs: BEGIN_MS + 600_000,
    giveUpAtMs: BEGIN_MS + 605_000,
    ...change,
  };
}

interface Sleeping {
  /** Milliseconds since the beginning; `null` while it sleeps. */
  polledAtMs: number | null;
  readonly over: Promise<unknown>;
}

function sleep(change: Partial<PollCommand> = {}, kind = STOP, signal = new AbortController().signal): Sleeping {
  const over = watch.untilPoll(kind, aPoll(change), Date.now, signal).then(
    () => {
      sleeping.polledAtMs = Date.now() - BEGIN_MS;
    },
    (error: unknown) => error,
  );
  const sleeping: Sleeping = { polledAtMs: null, over };
  return sleeping;
}

/** Something was learned of cloud jobs of an action, and those in flight must be polled when they have this age. */
function learn(pollAtMs: number, action: JobKind['action'] = 'stop'): void {
  durations.pollAtMs = pollAtMs;
  durations.versions[action] = (durations.versions[action] ?? 0) + 1;
  watch.saw(STOP, { id: 'J9', submittedAtMs: BEGIN_MS, runningAtMs: 1, endedByMs: 2 });
}

describe('a poll', () => {
  it('comes when the durations say, for the age that the cloud job has', async () => {
    durations.pollAtMs = 9_000;
    const { over } = sleep({
      submittedAtMs: BEGIN_MS - 5_000,
      sinceMs: BEGIN_MS - 1_000,
      polls: 3,
      lastRunningAtMs: 4_500,
    });
    await vi.advanceTimersByTimeAsync(3_999);
    expect(durations.asked).toEqual([
      { polls: 3, followedForMs: 1_000, ageMs: 5_000, lastRunningAtMs: 4_500, cloudJobId: 'J1' },
    ]);
    await vi.advanceTimersByTimeAsync(1);
    await over;
    expect(Date.now()).toBe(BEGIN_MS + 4_000);
  });

  it('comes at once when it is due', async () => {
    durations.pollAtMs = 1_000;
    const late = sleep({ submittedAtMs: BEGIN_MS - 5_000 });
    await late.over;
    expect(late.polledAtMs).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('comes halfway to the latest time if the end is expected after it: at that time nothing could be verified any more', async () => {
    const sleeping = sleep({ latestAtMs: BEGIN_MS + 8_000 });
    await vi.advanceTimersByTimeAsync(3_999);
    expect(sleeping.polledAtMs).toBeNull();
    await vi.advanceTimersByTimeAsync(1);
    expect(sleeping.polledAtMs).toBe(4_000);
    durations.pollAtMs = Number.NaN;
    const next = sleep({ polls: 1, latestAtMs: BEGIN_MS + 8_000 });
    await vi.advanceTimersByTimeAsync(4_000);
    expect(next.polledAtMs).toBe(8_000);
  });

  it('comes at once when the latest time is over', async () => {
    await vi.advanceTimersByTimeAsync(7_000);
    const overdue = sleep({ latestAtMs: BEGIN_MS });
    await overdue.over;
    expect(overdue.polledAtMs).toBe(7_000);
  });

  it('comes in time beyond the longest timer of Node', async () => {
    const days = 86_400_000;
    durations.pollAtMs = 40 * days;
    const sleeping = sleep({ latestAtMs: BEGIN_MS + 90 * days });
    await vi.advanceTimersByTimeAsync(40 * days - 1);
    expect(sleeping.polledAtMs).toBeNull();
    await vi.advanceTimersByTimeAsync(1);
    expect(sleeping.polledAtMs).toBe(40 * days);
  });

  it('comes by the plain rule while nothing is known', async () => {
    watch = new CloudJobWatch(new Durations());
    for (const polls of [0, 1, 2, 12]) {
      const sleeping = sleep({ polls, sinceMs: BEGIN_MS });
      await vi.advanceTimersByTimeAsync(60_000);
      expect(sleeping.polledAtMs).toBe(Math.ceil(plainPollMs(polls)));
      vi.setSystemTime(BEGIN_MS);
    }
  });

  it('does not come when its attempt is asked to end, and nothing is kept', async () => {
    const ending = new AbortController();
    const { over } = sleep({}, STOP, ending.signal);
    await vi.advanceTimersByTimeAsync(100);
    const why = new Error('cancelled');
    ending.abort(why);
    expect(await over).toBe(why);
    expect(await sleep({}, STOP, ending.signal).over).toBe(why);
    expect(vi.getTimerCount()).toBe(0);
    learn(0);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(durations.asked).toHaveLength(1);
  });
});

describe('what is learned while it sleeps', () => {
  it('brings a poll forward', async () => {
    const sleeping = sleep();
    await vi.advanceTimersByTimeAsync(10_000);
    learn(12_000);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(sleeping.polledAtMs).toBe(12_000);
  });

  it('puts a poll off when it is due, but not if that would be after the latest time', async () => {
    const sleeping = sleep();
    const endsSooner = sleep({ latestAtMs: BEGIN_MS + 70_000 });
    learn(90_000);
    await vi.advanceTimersByTimeAsync(89_999);
    expect(sleeping.polledAtMs).toBeNull();
    expect(endsSooner.polledAtMs).toBe(35_000);
    await vi.advanceTimersByTimeAsync(1);
    expect(sleeping.polledAtMs).toBe(90_000);
  });

  it('does not concern cloud jobs of another kind', async () => {
    sleep();
    sleep({}, START);
    await vi.advanceTimersByTimeAsync(1_000);
    learn(2_000, 'start');
    await vi.advanceTimersByTimeAsync(500);
    expect(durations.asked).toHaveLength(3);
  });

  it('at about the same time counts as one', async () => {
    for (let nth = 0; nth < 20; nth++) sleep();
    for (let ms = 0; ms < 50; ms++) {
      learn(50_000);
      await vi.advanceTimersByTimeAsync(1);
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(durations.asked.length).toBeLessThanOrEqual(20 * 3);
  });

  it('reaches 500 within a third of a second, in turns', async () => {
    const sleeping = Array.from({ length: 500 }, () => sleep());
    await vi.advanceTimersByTimeAsync(10_000);
    learn(10_000);
    await vi.advanceTimersByTimeAsync(333);
    const times = sleeping.map(({ polledAtMs }) => polledAtMs ?? Infinity);
    expect(Math.max(...times)).toBeLessThanOrEqual(10_333);
    for (const time of new Set(times)) expect(times.filter((other) => other === time).length).toBeLessThanOrEqual(50);
  });

  it('during such a round is used after it', async () => {
    const sleeping = Array.from({ length: 200 }, () => sleep());
    learn(50_000);
    await vi.advanceTimersByTimeAsync(60);
    learn(40_000);
    await vi.advanceTimersByTimeAsync(39_940);
    expect(sleeping.every(({ polledAtMs }) => polledAtMs === 40_000)).toBe(true);
  });

  it('from elsewhere is used too', async () => {
    const sleeping = sleep();
    durations.pollAtMs = 3_000;
    durations.versions.stop = 7;
    watch.askAgain();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(sleeping.polledAtMs).toBe(3_000);
  });
});

describe('2,000 cloud jobs', () => {
  it('cost one timer each while they wait, and nothing afterwards', async () => {
    const ending = Array.from({ length: 2_000 }, () => new AbortController());
    const sleeping = ending.map(({ signal }) => sleep({}, STOP, signal));
    await vi.advanceTimersByTimeAsync(59_000);
    expect(vi.getTimerCount()).toBe(2_000);
    expect(durations.asked).toHaveLength(2_000);
    for (const each of ending) each.abort();
    await Promise.all(sleeping.map(({ over }) => over));
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('what a poll shows', () => {
  const job = { id: 'J1', submittedAtMs: BEGIN_MS };

  it('is reported: running, or ended after it was last seen running', () => {
    watch.saw(STOP, { ...job, runningAtMs: 1_000 });
    watch.saw(STOP, { ...job, runningAtMs: 1_000, endedByMs: 2_000 });
    watch.saw(START, { ...job, endedByMs: 100 });
    expect(durations.reported).toEqual([
      ['running', STOP, 'J1', 1_000],
      ['ended', STOP, 'J1', { runningAtMs: 1_000, endedByMs: 2_000 }],
      ['ended', START, 'J1', { runningAtMs: 0, endedByMs: 100 }],
    ]);
  });

  it('is not reported where no poll showed anything, or the age is not known', () => {
    watch.saw(STOP, job);
    expect(durations.reported).toEqual([]);
  });

  it('is no longer expected from a cloud job that is left before its end', () => {
    watch.leave(STOP, { ...job, runningAtMs: 1_000, endedByMs: 2_000 });
    expect(durations.reported).toEqual([]);
    watch.leave(STOP, { ...job, runningAtMs: 1_000 });
    expect(durations.reported).toEqual([['dropped', STOP, 'J1']]);
  });
});
