/** An accepted command in words, for every form of the report. */
import type { CommandRecord } from '../report/report.js';
import { describeTime } from '../time/utc-time.js';

/** `pause by ann at 2026-12-01T02:30:00Z: the database is slow` */
export function describeCommand({ command, actor, reason, atMs }: CommandRecord): string {
  return `${command} by ${actor} at ${describeTime(atMs)}: ${reason}`;
}
