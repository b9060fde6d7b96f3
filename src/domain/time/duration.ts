/** Durations as runbooks and configuration write them: one number and a unit, such as `90s`, `5m`, `2h`. */

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export const DURATION_PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
export const DURATION_REMEDY = 'Write a number and a unit, such as 90s, 5m or 2h (units: ms, s, m, h, d), at most 365d';
/** Chosen: nobody waits longer, and far beyond it no timer of Temporal counts. */
const LONGEST_MS = 365 * 86_400_000;

/** Milliseconds, or `null` when the text is no duration, or one of more than a year. */
export function durationMs(text: string): number | null {
  const [, count, unit = ''] = DURATION_PATTERN.exec(text) ?? [];
  const ms = count === undefined ? null : Math.round(Number(count) * (UNITS_MS[unit] ?? 0));
  return ms === null || ms > LONGEST_MS ? null : ms;
}

/** `90s`, `5m`, `1h 30m`: for people. */
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
