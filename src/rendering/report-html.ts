/** A report as one HTML file: no script, nothing from a network, light and dark. Every text of the report passes `htmlText`. Pure. */
import type { FailureRecord } from '../domain/failures.js';
import { bodyShown, describeEvidence } from '../domain/checks/check.js';
import { describeDifferences } from '../domain/report/compensation.js';
import type { GateReport, Outcome, RunReport, StepReport, TargetReport } from '../domain/report/report.js';
import { describeObservation } from '../domain/target/target.js';
import { describeTime } from '../domain/time/utc-time.js';
import { htmlLines, htmlText } from './html-text.js';
import {
  differencesOf,
  leftOutChecks,
  mark,
  meaningOf,
  notHeldWarning,
  period,
  stepTitle,
  tookText,
  trailLines,
} from './meaning.js';
import { nextCommand } from './next-command.js';
import { undelivered } from './notifications.js';
import { REPORT_STYLE } from './report-style.js';
import { runTimeline, targetTimeline } from './timeline.js';
import { timelineSvg } from './timeline-svg.js';
import { factsOf } from './report-facts.js';
import { readingsText, stepNotes } from './step-notes.js';

type Tone = 'good' | 'warn' | 'bad';

const TONES: Readonly<Record<Outcome, Tone>> = {
  succeeded: 'good',
  compensated: 'warn',
  cancelled: 'warn',
  refused: 'warn',
  expired: 'warn',
  failed: 'bad',
  compensationFailed: 'bad',
  indeterminate: 'bad',
};

/** The policy of the page forbids scripts and requests, so that even a mistake in escaping can neither run nor fetch anything. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** The whole document, as the text of a file. */
export function reportHtml(report: RunReport): string {
  const { runbook, outcome, workflowId, failure, gates = [], targets, notStarted } = report;
  const missed = undelivered(report.notifications ?? []);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${htmlText(`${runbook}: ${outcome} (${workflowId})`)}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
${[
  `<h1>${htmlText(runbook)} ${badge(outcome)}</h1>`,
  `<p class="meaning">${htmlText(meaningOf(report))}</p>`,
  definitions(factsOf(report, 'time (UTC)')),
  ...(failure === undefined ? [] : [failureBlock(failure)]),
  ...nextBlock(report),
  ...runDrawing(report),
  ...(gates.length === 0 ? [] : ['<h2>Gates</h2>', `<ul>${gates.map(gateItem).join('\n')}</ul>`]),
  ...targets.flatMap(targetSection),
  ...(notStarted.length === 0 ? [] : ['<h2>Not started</h2>', list(notStarted)]),
  ...(missed.length === 0 ? [] : ['<h2>Not notified</h2>', list(missed)]),
  `<p class="legend">${LEGEND}</p>`,
].join('\n')}
</body>
</html>
`;
}

function badge(outcome: Outcome): string {
  return `<span class="badge ${TONES[outcome]}">${htmlText(outcome)}</span>`;
}

function definitions(rows: readonly (readonly [string, string | null | undefined])[]): string {
  const lines = rows.flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [`<dt>${name}</dt><dd>${htmlText(value)}</dd>`],
  );
  return `<dl>\n${lines.join('\n')}\n</dl>`;
}

function failureBlock({ name, message, advice }: FailureRecord): string {
  return `<p class="failure"><strong>${htmlText(name)}</strong>: ${htmlLines(message)}\n→ ${htmlText(advice)}</p>`;
}

function nextBlock(report: RunReport): string[] {
  const next = nextCommand(report);
  return next === null ? [] : [`<p class="next">Next: ${htmlText(next.why)}<code>${htmlText(next.command)}</code></p>`];
}

const LEGEND =
  'Times are in UTC. Circles: readings of the instance. Thin bar: its cloud job, as far as the step followed it. Strokes: decisions of attempts. Dashed edge: an undo. Pale: a wait, or a step that was skipped.';

/** Empty if the timeline has one row, which the target's own drawing shows better. */
function runDrawing(report: RunReport): string[] {
  const timeline = runTimeline(report);
  if (timeline.rows.length < 2) return [];
  return ['<h2>The run</h2>', drawing(timelineSvg(timeline, 'The run, to scale'))];
}

function drawing(svg: string): string {
  return `<div class="scroll">${svg}</div>`;
}

function gateItem({ target, firstLookAtMs, lastLookAtMs, looks, failure, why }: GateReport): string {
  const when =
    looks === 1 ? describeTime(firstLookAtMs) : `${period(firstLookAtMs, lastLookAtMs)}, checked ${looks} times`;
  return `<li>${htmlText(`${target}: ${failure ?? 'open again'}, ${when}${why === null ? '' : `: ${why}`}`)}</li>`;
}

function targetSection(target: TargetReport): string[] {
  const { path, outcome, captured, lastSeen, steps, compensations, notReached, remaining, failure } = target;
  const differences = differencesOf(target);
  const timeline = targetTimeline(target);
  const all = [...steps.map((step) => ['', step] as const), ...compensations.map((step) => ['undo: ', step] as const)];
  const observed = (reading: TargetReport['captured']) => (reading === null ? null : describeObservation(reading));
  return [
    `<h2>${htmlText(path)} ${badge(outcome)}</h2>`,
    definitions([
      ['before', observed(captured)],
      ['now', observed(lastSeen)],
      ['not held', notHeldWarning(target)],
      ['differs', differences.length === 0 ? null : describeDifferences(differences)],
      ['not reached', notReached.length === 0 ? null : notReached.join(', ')],
      ['checks left out', leftOutChecks(target)],
      ...remaining.map(
        ({ stepId, kind, why }) =>
          ['remains', `${stepId}: ${kind === 'irreversible' ? 'irreversible, ' : ''}${why}`] as const,
      ),
    ]),
    ...(failure === undefined ? [] : [failureBlock(failure)]),
    ...(timeline === null ? [] : [drawing(timelineSvg(timeline, `${path}, to scale`))]),
    ...(all.length === 0 ? [] : [stepTable(all)]),
    ...all.flatMap(([prefix, step]) => stepDetails(step, prefix)),
  ];
}

function stepTable(all: readonly (readonly [string, StepReport])[]): string {
  const head = ['step', 'result', 'began', 'took', 'cloud job', 'seen'].map((name) => `<th>${name}</th>`).join('');
  return `<div class="scroll"><table>\n<tr>${head}</tr>\n${all.map(([prefix, step]) => stepRow(step, prefix)).join('\n')}\n</table></div>`;
}

const RESULT_TONES: Readonly<Record<StepReport['result'], Tone>> = {
  succeeded: 'good',
  skipped: 'good',
  failed: 'bad',
  indeterminate: 'bad',
  cancelled: 'warn',
};

function stepRow(step: StepReport, prefix: string): string {
  const { result, startedAtMs, cloudJobId, sent, evidence, check } = step;
  const seen = check === undefined ? readingsText(step) : describeEvidence(check);
  const doubt = sent === 'unknown' ? '; it is not known whether ServiceStage acted' : '';
  const adopted = evidence === undefined ? '' : ' (adopted)';
  return `<tr><td>${htmlText(`${prefix}${stepTitle(step)}`)}</td><td class="result ${RESULT_TONES[result]}-text">${htmlText(`${mark(result)} ${result}${doubt}`)}</td><td class="time">${describeTime(startedAtMs)}</td><td class="time">${htmlText(tookText(step))}</td><td class="id">${htmlText(`${cloudJobId ?? ''}${adopted}`)}</td><td>${htmlText(seen)}</td></tr>`;
}

/** What went wrong, what people decided, and, folded, what each attempt decided. */
function stepDetails(step: StepReport, prefix: string): string[] {
  const { failure, check } = step;
  const body = check === undefined ? null : bodyShown(check);
  const name = htmlText(`${prefix}${stepTitle(step)}`);
  const notes = stepNotes(step);
  const decided = trailLines(step);
  return [
    ...(failure === undefined && notes.length === 0 ? [] : [`<h3>${name}</h3>`]),
    ...(notes.length === 0 ? [] : [list(notes)]),
    ...(failure === undefined ? [] : [failureBlock(failure)]),
    ...(body === null ? [] : [`<p>Body: <code>${htmlText(body)}</code></p>`]),
    ...(decided.length === 0
      ? []
      : [`<details><summary>${name}: what was decided</summary>${list(decided)}</details>`]),
  ];
}

function list(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${htmlText(item)}</li>`).join('\n')}</ul>`;
}
