/** A moment for people, `2026-12-01T02:30:00Z`. Worked out by hand, since domain code has no clock and no `Date`. */

const DAY_MS = 86_400_000;

/** ISO 8601 in UTC, to the second. Epoch milliseconds in. */
export function describeTime(ms: number): string {
  const day = Math.floor(ms / DAY_MS);
  const seconds = Math.floor((ms - day * DAY_MS) / 1_000);
  const { year, month, dayOfMonth } = civilDate(day);
  const two = (value: number) => String(value).padStart(2, '0');
  const time = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60), seconds % 60].map(two).join(':');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(dayOfMonth)}T${time}Z`;
}

/** Days since 1970 → Gregorian date, counted in years that begin in March so that the leap day comes last. */
function civilDate(day: number): { year: number; month: number; dayOfMonth: number } {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    dayOfMonth: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
  };
}
