/** When the clocks of a zone are changed, such as for summer time, and which local times that takes away or repeats. */
import { offsetsOf } from './offsets.js';
import type { WallMs } from './wall-clock.js';

/** A change of the clocks: local times from `fromLocalMs` on, before `toLocalMs`, do not exist or come twice. */
export interface ClockChange {
  /** Epoch milliseconds: the first moment after the change. */
  readonly atMs: number;
  readonly kind: 'missing' | 'twice';
  readonly fromLocalMs: WallMs;
  readonly toLocalMs: WallMs;
}

/** Changes of the clocks in `[fromMs, toMs)`, epoch milliseconds, in order. A zone that is not known here has none, as UTC. */
export function clockChanges(zone: string, fromMs: number, toMs: number): ClockChange[] {
  const offsets = offsetsOf(zone);
  const changes: ClockChange[] = [];
  if (offsets === null) return changes;
  for (let before = offsets(fromMs - 1); before.toMs < toMs;) {
    const after = offsets(before.toMs);
    const [low, high] = [before.offsetMs, after.offsetMs].sort((left, right) => left - right) as [number, number];
    changes.push({
      atMs: after.fromMs,
      kind: after.offsetMs > before.offsetMs ? 'missing' : 'twice',
      fromLocalMs: after.fromMs + low,
      toLocalMs: after.fromMs + high,
    });
    before = after;
  }
  return changes;
}
