/** Moments for people. */

/** `2026-12-01T02:30:00Z`: ISO 8601 in UTC, to the second. @param ms epoch milliseconds; beyond the range of `Date` the result is `an unknown time` */
export function describeTime(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? 'an unknown time' : time.toISOString().replace(/\.\d+Z$/, 'Z');
}
