/** Recurrence rules that can be trusted: those that the library works out right, in bounded time. */
import ICAL from 'ical.js';

type Rule = InstanceType<typeof ICAL.Recur>;

const TIMES = ['BYHOUR', 'BYMINUTE', 'BYSECOND'];
const DAYS = ['BYDAY', 'BYMONTHDAY', 'BYMONTH'];
/** Parts by frequency. The library passes over others without a word (a YEARLY BYWEEKNO yields nothing at all). */
const SUPPORTED: Readonly<Record<string, readonly string[]>> = {
  HOURLY: [...DAYS, ...TIMES],
  DAILY: [...DAYS, ...TIMES],
  WEEKLY: ['BYDAY', 'BYMONTH', ...TIMES],
  MONTHLY: [...DAYS, 'BYSETPOS', ...TIMES],
  YEARLY: [...DAYS, 'BYYEARDAY', 'BYSETPOS', ...TIMES],
};
/** A larger one is a mistake, and the library counts it day by day. */
const LARGEST_INTERVAL = 1_000;

/** Why a rule is not taken, or `null`. */
export function ruleProblem(rule: Rule): string | null {
  const { freq, interval } = rule;
  const parts = Object.keys(rule.parts);
  const supported = SUPPORTED[freq];
  if (supported === undefined) return `FREQ=${freq} repeats too often for a freeze`;
  const unknown = parts.find((part) => !supported.includes(part));
  if (unknown !== undefined) return `${unknown} with FREQ=${freq} is not supported`;
  if (interval > LARGEST_INTERVAL) return `INTERVAL=${interval} is too large`;
  const has = (part: string) => parts.includes(part);
  const setPosFits = has('BYDAY') && !has('BYMONTHDAY') && (freq === 'MONTHLY' || has('BYMONTH'));
  if (has('BYSETPOS') && !setPosFits) return `BYSETPOS with these parts of FREQ=${freq} is not supported`;
  if (freq === 'YEARLY' && has('BYMONTHDAY') && !has('BYMONTH')) return 'FREQ=YEARLY with BYMONTHDAY needs BYMONTH';
  if (has('BYYEARDAY') && parts.some((part) => DAYS.includes(part)))
    return 'BYYEARDAY with other days is not supported';
  const days = rule.getComponent('BYDAY').map(String);
  const numbered = days.filter((day) => /\d/.test(day));
  if (numbered.length > 0 && freq !== 'MONTHLY' && freq !== 'YEARLY') return `a numbered BYDAY needs FREQ=MONTHLY`;
  const far = numbered.find((day) => Math.abs(Number.parseInt(day, 10)) > 5);
  return far === undefined ? null : `BYDAY=${far} is not supported`;
}

const DAY_MS = 86_400_000;

/**
 * A later beginning from which the rule yields the same from `wallMs` on: whole periods are skipped, since the library takes
 * its time over each. A rule that counts has to be followed from its beginning.
 */
export function beginningNear(rule: Rule, startMs: number, wallMs: number): number {
  const { freq, interval, count } = rule;
  const start = new Date(startMs);
  const aheadMs = wallMs - startMs;
  if (aheadMs <= 0 || count !== null) return startMs;
  const periodMs = freq === 'HOURLY' ? 3_600_000 : freq === 'DAILY' ? DAY_MS : freq === 'WEEKLY' ? 7 * DAY_MS : null;
  if (periodMs !== null) return startMs + Math.floor(aheadMs / (periodMs * interval)) * periodMs * interval;
  // The 29th, 30th and 31st are not in every month, and skipping to a month without them would lose them.
  if (start.getUTCDate() > 28) return startMs;
  const target = new Date(wallMs);
  const months = (target.getUTCFullYear() - start.getUTCFullYear()) * 12 + target.getUTCMonth() - start.getUTCMonth();
  const step = freq === 'YEARLY' ? 12 * interval : interval;
  start.setUTCMonth(start.getUTCMonth() + Math.floor(Math.max(0, months - 1) / step) * step);
  return start.getTime();
}
