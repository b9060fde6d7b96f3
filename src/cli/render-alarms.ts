/** Alarms as text: what they would start, and what was decided. Pure. */
import type { AlarmLogLine } from '../domain/alarm.js';
import { describeTime } from '../domain/utc-time.js';
import type { AlarmPreview } from '../gateway/preview-alarm.js';
import type { Paint } from './paint.js';

/** Text of a stranger on a terminal: without what would move its cursor, colour it or turn it around. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, ' ');
}

export function renderPreviews(previews: readonly AlarmPreview[], paint: Paint): string {
  if (previews.length === 0) return 'There is no alarm in it: nothing would start';
  return previews.map((preview) => previewLines(preview, paint).map(painted).join('\n')).join('\n');
}

function previewLines({ alarm, status, rule, start, why, passedOver }: AlarmPreview, paint: Paint): Line[] {
  const inputs = Object.entries(start?.arguments.inputs ?? {}).map(
    ([name, value]) => `${name}=${JSON.stringify(value)}`,
  );
  return [
    [`${alarm} ${status} → ${rule === null ? 'no rule' : `rule ${rule}`}`, paint.bold],
    [`  ${why}`, start === null ? paint.warn : null],
    ...(inputs.length === 0 ? [] : [[`  inputs ${inputs.join(' ')}`, null] as Line]),
    ...passedOver.map(({ rule: name, unmet }): Line => [`  not ${name}: ${unmet.join('; ')}`, paint.dim]),
  ];
}

/** Text, and how it is painted once it is plain. */
type Line = readonly [text: string, brush: ((text: string) => string) | null];

function painted([text, brush]: Line): string {
  return brush === null ? plain(text) : brush(plain(text));
}

export function renderAlarmLog(lines: readonly AlarmLogLine[], paint: Paint): string {
  if (lines.length === 0) return 'No alarm was decided yet';
  return lines
    .flatMap((line) => {
      const { decidedAtMs, rule, target, decision } = line;
      const subject = line.alarm === null ? line.note.sender : `${line.alarm.name} ${line.alarm.status}`;
      return [
        `${describeTime(decidedAtMs)}  ${paint.bold(decision.kind)}  ${plain(subject)}  ${rule}${target === null ? '' : ` on ${plain(target)}`}`,
        paint.dim(plain(`    ${decision.why}`)),
        ...(decision.runId === null ? [] : [paint.dim(plain(`    run ${decision.runId}`))]),
      ];
    })
    .join('\n');
}
