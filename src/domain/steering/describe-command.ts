/** An accepted command in words, for every form of the report. */
import type { CommandRecord } from '../report/report.js';
import { kindOfCommand } from './command-names.js';
import { describeTime } from '../time/utc-time.js';

/** `pause by ann at 2026-12-01T02:30:00Z: the database is slow`; `approve of step seen of shop/web/a by bob (not signed) at …` */
export function describeCommand(record: CommandRecord): string {
  const { command, actor, reason, atMs } = record;
  const about = kindOfCommand(command) === 'approval' ? aboutOf(record) : { what: '', proof: '' };
  return `${command}${about.what} by ${actor}${about.proof} at ${describeTime(atMs)}: ${reason}`;
}

/** What was approved, and what proves who did. */
function aboutOf({ step, target, signedBy, roles = [] }: CommandRecord): { what: string; proof: string } {
  const what = step === undefined ? '' : ` of step ${step}${target === undefined ? '' : ` of ${target}`}`;
  const as = roles.length === 0 ? '' : `, as ${roles.join(', ')}`;
  return { what, proof: ` (${signedBy === undefined ? 'not signed' : `signed, ${signedBy}${as}`})` };
}
