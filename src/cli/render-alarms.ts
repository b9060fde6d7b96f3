/** Renders alarms as text: what they would start, and what was decided. Pure. */
import type { AlarmLogLine } from '../domain/alarms/alarm.js';
import { describeTime } from '../domain/time/utc-time.js';
import type { AlarmPreview } from '../gateway/preview-alarm.js';
import type { Paint } from './paint.js';
import { printableFacts } from './terminal-text.js';

/** What alarms would start, for `runbook alarm try`. */
export function renderPreviews(previews: readonly AlarmPreview[], paint: Paint): string {
  if (previews.length === 0) return 'The body contains no alarm: nothing would start';
  return printableFacts(previews)
    .flatMap((preview) => previewLines(preview, paint))
    .join('\n');
}

function previewLines({ alarm, status, rule, start, why, passedOver }: AlarmPreview, paint: Paint): string[] {
  const inputs = Object.entries(start?.arguments.inputs ?? {}).map(
    ([name, value]) => `${name}=${JSON.stringify(value)}`,
  );
  return [
    paint.bold(`${alarm} ${status} → ${rule === null ? 'no rule' : `rule ${rule}`}`),
    start === null ? paint.warn(`  ${why}`) : `  ${why}`,
    ...(inputs.length === 0 ? [] : [`  inputs ${inputs.join(' ')}`]),
    ...passedOver.map(({ rule: name, unmet }) => paint.dim(`  not ${name}: ${unmet.join('; ')}`)),
  ];
}

/** What was decided, for `runbook alarm log`. */
export function renderAlarmLog(lines: readonly AlarmLogLine[], paint: Paint): string {
  if (lines.length === 0) return 'No decision yet';
  return printableFacts(lines)
    .flatMap((line) => {
      const { decidedAtMs, rule, target, decision } = line;
      const subject = line.alarm === null ? line.note.sender : `${line.alarm.name} ${line.alarm.status}`;
      return [
        `${describeTime(decidedAtMs)}  ${paint.bold(decision.kind)}  ${subject}  ${rule}${target === null ? '' : ` on ${target}`}`,
        paint.dim(`    ${decision.why}`),
        ...(decision.runId === null ? [] : [paint.dim(`    run ${decision.runId}`)]),
      ];
    })
    .join('\n');
}
