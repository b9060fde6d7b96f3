/**
 * Durations as runbooks and configuration write them: one number and a unit, such as `90s`, `5m`, `2h`. Written by hand because `ms`
 * accepts more than that: numbers without a unit, and negative ones.
 */

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** What a duration looks like. It may still be longer than a year: `durationMs` decides. */
export const DURATION_PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
/** What would be right instead of a text that is not a duration. */
export const DURATION_REMEDY = 'Write a number and a unit, such as 90s, 5m or 2h (units: ms, s, m, h, d), at most 365d';
/** Chosen: no run waits longer, and timers of Temporal do not go far beyond it. */
const LONGEST_MS = 365 * 86_400_000;

/** Milliseconds of a duration, rounded. @returns `null` if the text is not a duration, or is longer than a year */
export function durationMs(text: string): number | null {
  const [, count, unit = ''] = DURATION_PATTERN.exec(text) ?? [];
  const ms = count === undefined ? null : Math.round(Number(count) * (UNITS_MS[unit] ?? 0));
  return ms === null || ms > LONGEST_MS ? null : ms;
}

/** `90s`, `5m`, `1h 30m`: milliseconds, for people. */
export function describeDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  const parts = [
    [Math.floor(seconds / 3_600), 'h'],
    [Math.floor((seconds % 3_600) / 60), 'm'],
    [seconds % 60, 's'],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}
