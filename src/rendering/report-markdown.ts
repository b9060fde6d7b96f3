/** A report as Markdown, to be pasted into the document of an incident. Foreign text cannot add links, tables or headings. Pure. */
import { bodyShown, describeEvidence } from '../domain/checks/check.js';
import { describeDifferences } from '../domain/report/compensation.js';
import type { GateReport, RunReport, StepReport, TargetReport } from '../domain/report/report.js';
import type { FailureRecord } from '../domain/failures.js';
import { describeObservation } from '../domain/target/target.js';
import { markdownCell, markdownProse, markdownText } from '../domain/text/markdown.js';
import { printable } from '../domain/text/text.js';
import { describeTime } from '../domain/time/utc-time.js';
import {
  differencesOf,
  leftOutChecks,
  meaningOf,
  notHeldWarning,
  period,
  stepTitle,
  tookText,
  trailLines,
} from './meaning.js';
import { nextCommand } from './next-command.js';
import { undelivered } from './notifications.js';
import { factsOf } from './report-facts.js';
import { readingsText, stepNotes } from './step-notes.js';

/** The whole report. It begins with a heading of the second level, because a document has its own first one. */
export function reportMarkdown(report: RunReport): string {
  const { outcome, runbook, failure, gates = [], targets, notStarted } = report;
  return [
    `## ${markdownText(runbook)}: ${outcome}`,
    '',
    `**${outcome.toUpperCase()}**: ${markdownProse(meaningOf(report))}`,
    '',
    ...factRows(report),
    ...(failure === undefined ? [] : ['', ...failureLines(failure)]),
    ...(gates.length === 0 ? [] : ['', '### Gates', '', ...gates.map(gateLine)]),
    ...targets.flatMap((target) => ['', ...targetLines(target)]),
    ...(notStarted.length === 0
      ? []
      : ['', '### Not started', '', ...notStarted.map((path) => `- ${markdownText(path)}`)]),
    ...notNotified(report),
    ...nextLines(report),
    '',
  ].join('\n');
}

function notNotified({ notifications = [] }: RunReport): string[] {
  const lines = undelivered(notifications).map((line) => `- ${markdownProse(line)}`);
  return lines.length === 0 ? [] : ['', '### Not notified', '', ...lines];
}

function factRows(report: RunReport): string[] {
  return ['| what | value |', '| --- | --- |'].concat(
    factsOf(report, 'time').map(([name, value]) => `| ${name} | ${markdownCell(value)} |`),
  );
}

function gateLine({ target, firstLookAtMs, lastLookAtMs, looks, failure, why }: GateReport): string {
  const when =
    looks === 1 ? describeTime(firstLookAtMs) : `${period(firstLookAtMs, lastLookAtMs)}, checked ${looks} times`;
  const what = failure === null ? 'open again' : `**${failure}**`;
  return `- ${markdownText(target)}: ${what}, ${when}${why === null ? '' : `: ${markdownProse(why)}`}`;
}

function targetLines(target: TargetReport): string[] {
  const { path, outcome, captured, lastSeen, steps, compensations, notReached, remaining, failure } = target;
  const differences = differencesOf(target);
  const notHeld = notHeldWarning(target);
  const leftOut = leftOutChecks(target);
  const all = [...steps.map((step) => ['', step] as const), ...compensations.map((step) => ['undo: ', step] as const)];
  return [
    `### ${markdownText(path)}: ${outcome}`,
    ...(all.length === 0 ? [] : ['', STEP_HEAD, STEP_RULE, ...all.map(([prefix, step]) => stepRow(step, prefix))]),
    '',
    ...(captured === null ? [] : [`- before: ${markdownText(describeObservation(captured))}`]),
    ...(lastSeen === null ? [] : [`- now: ${markdownText(describeObservation(lastSeen))}`]),
    ...(notHeld === null ? [] : [`- **not held**: ${notHeld}`]),
    ...(differences.length === 0 ? [] : [`- **differs**: ${markdownText(describeDifferences(differences))}`]),
    ...(notReached.length === 0 ? [] : [`- not reached: ${notReached.map(markdownText).join(', ')}`]),
    ...(leftOut === null ? [] : [`- checks left out: ${markdownText(leftOut)}`]),
    ...remaining.map(
      ({ stepId, kind, why }) =>
        `- **remains**: ${markdownText(stepId)}: ${kind === 'irreversible' ? 'irreversible, ' : ''}${markdownProse(why)}`,
    ),
    ...(failure === undefined ? [] : ['', ...failureLines(failure)]),
    ...all.flatMap(([prefix, step]) => stepDetails(step, prefix)),
  ];
}

const STEP_HEAD = '| step | result | began (UTC) | took | cloud job | seen |';
const STEP_RULE = '| --- | --- | --- | --- | --- | --- |';

function stepRow(step: StepReport, prefix: string): string {
  const { result, startedAtMs, cloudJobId, sent, check } = step;
  const cells = [
    `${prefix}${stepTitle(step)}`,
    `${result}${sent === 'unknown' ? ', not known whether ServiceStage acted' : ''}`,
    describeTime(startedAtMs),
    tookText(step),
    cloudJobId ?? '',
    check === undefined ? readingsText(step) : describeEvidence(check),
  ];
  return `| ${cells.map(markdownCell).join(' | ')} |`;
}

/** What went wrong, what people decided, and the attempts where there were several. */
function stepDetails(step: StepReport, prefix: string): string[] {
  const { failure, attempts, check } = step;
  const name = `${prefix}${stepTitle(step)}`;
  const notes = stepNotes(step).map((line) => `- ${markdownText(name)}: ${markdownProse(line)}`);
  const body = check === undefined ? null : bodyShown(check);
  return [
    ...(failure === undefined ? [] : ['', `**${markdownText(name)}**`, '', ...failureLines(failure)]),
    ...(notes.length === 0 ? [] : ['', ...notes]),
    ...(body === null ? [] : ['', `Body: ${markdownText(body)}`]),
    ...(attempts > 1
      ? ['', `Attempts of ${markdownText(name)}:`, '', ...trailLines(step).map((line) => `- ${markdownProse(line)}`)]
      : []),
  ];
}

function failureLines({ name, message, advice }: FailureRecord): string[] {
  const [first = '', ...rest] = message.split('\n');
  return [
    `> **${name}**: ${markdownProse(first)}`,
    ...rest.map((line) => `> ${markdownProse(line)}`),
    '>',
    `> → ${markdownProse(advice)}`,
  ].map(
    // Two spaces keep the line breaks of a message.
    (line, index, all) => (index < all.length - 2 && line !== '>' ? `${line}  ` : line),
  );
}

function nextLines(report: RunReport): string[] {
  const next = nextCommand(report);
  return next === null ? [] : ['', `Next: ${next.why}:`, '', '```sh', printable(next.command), '```'];
}
