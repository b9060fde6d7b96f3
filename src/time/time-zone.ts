/** Time zones: is a name one that a server finds, what a clock there shows, and when its clocks are changed. */
import { ianaZone, UTC } from './zones.js';

const DAY_MS = 86_400_000;

/** As the server looks names up in files, their letters must be written as they are there. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/.test(name) || ianaZone(name) === null) return false;
  const listed = Intl.supportedValuesOf('timeZone');
  return listed.includes(name) || !listed.some((zone) => zone.toLowerCase() === name.toLowerCase());
}

export function timeZoneNames(): string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')];
}

/** Epoch milliseconds as if the clock in that zone showed UTC; read it with the `getUTC…` methods. A zone that is not known here counts as UTC. */
export function localMs(zone: string, atMs: number): number {
  return (ianaZone(zone) ?? UTC).wallOf(atMs);
}

/** A change of the clocks: local times from `fromLocalMs` on, before `toLocalMs`, do not exist or come twice. */
export interface ClockChange {
  readonly atMs: number;
  readonly kind: 'missing' | 'twice';
  readonly fromLocalMs: number;
  readonly toLocalMs: number;
}

/** Changes of the clocks in `[fromMs, toMs)`. */
export function clockChanges(zone: string, fromMs: number, toMs: number): ClockChange[] {
  const rules = ianaZone(zone) ?? UTC;
  const offset = (atMs: number) => rules.wallOf(atMs) - atMs;
  const changes: ClockChange[] = [];
  for (let dayMs = fromMs; dayMs < toMs; dayMs += DAY_MS) {
    let before = dayMs;
    let after = Math.min(dayMs + DAY_MS, toMs);
    const [offsetBefore, offsetAfter] = [offset(before), offset(after)];
    if (offsetBefore === offsetAfter) continue;
    // Zones change at whole minutes.
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (offset(middle) === offsetBefore) before = middle;
      else after = middle;
    }
    const kind = offsetAfter > offsetBefore ? 'missing' : 'twice';
    const [low, high] = offsetAfter > offsetBefore ? [offsetBefore, offsetAfter] : [offsetAfter, offsetBefore];
    changes.push({ atMs: after, kind, fromLocalMs: after + low, toLocalMs: after + high });
  }
  return changes;
}
