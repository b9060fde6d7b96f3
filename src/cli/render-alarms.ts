/** Renders alarms as text: what they would start, and what was decided. Pure. */
import type { AlarmLogLine } from '../domain/alarms/alarm.js';
import { describeTime } from '../domain/time/utc-time.js';
import type { AlarmPreview } from '../gateway/preview-alarm.js';
import type { Colors } from './colors.js';
import { printableFacts } from './terminal-text.js';

/** What alarms would start, for `runbook alarm try`. */
export function renderPreviews(previews: readonly AlarmPreview[], colors: Colors): string {
  if (previews.length === 0) return 'The body contains no alarm: nothing would start';
  return printableFacts(previews)
    .flatMap((preview) => previewLines(preview, colors))
    .join('\n');
}

function previewLines({ alarm, status, rule, start, why, passedOver }: AlarmPreview, colors: Colors): string[] {
  const inputs = Object.entries(start?.arguments.inputs ?? {}).map(
    ([name, value]) => `${name}=${JSON.stringify(value)}`,
  );
  return [
    colors.bold(`${alarm} ${status} → ${rule === null ? 'no rule' : `rule ${rule}`}`),
    start === null ? colors.warn(`  ${why}`) : `  ${why}`,
    ...(inputs.length === 0 ? [] : [`  inputs ${inputs.join(' ')}`]),
    ...passedOver.map(({ rule: name, unmet }) => colors.dim(`  not ${name}: ${unmet.join('; ')}`)),
  ];
}

/** What was decided, for `runbook alarm log`. */
export function renderAlarmLog(lines: readonly AlarmLogLine[], colors: Colors): string {
  if (lines.length === 0) return 'No decision yet';
  return printableFacts(lines)
    .flatMap((line) => {
      const { decidedAtMs, rule, target, decision } = line;
      const subject = line.alarm === null ? line.note.sender : `${line.alarm.name} ${line.alarm.status}`;
      return [
        `${describeTime(decidedAtMs)}  ${colors.bold(decision.kind)}  ${subject}  ${rule}${target === null ? '' : ` on ${target}`}`,
        colors.dim(`    ${decision.why}`),
        ...(decision.runId === null ? [] : [colors.dim(`    run ${decision.runId}`)]),
      ];
    })
    .join('\n');
}
