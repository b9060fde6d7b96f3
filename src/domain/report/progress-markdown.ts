/** What the Temporal UI shows of a run, or of a target, under way: Markdown of at most `DETAILS_BYTES` bytes. */
import { describeWaiting } from '../gates/gates.js';
import { describeUsualEnd } from '../plan/usual-words.js';
import { DETAILS_BYTES } from '../sizes.js';
import { markdownCell, markdownText } from '../text/markdown.js';
import { linesThatFit } from '../text/text.js';
import type { RunProgress, StepProgress, TargetProgress } from './report.js';

/** The targets of a run, and what it waits for. */
export function runProgressMarkdown({ waiting, targets }: RunProgress): string {
  const rows = targets.map(
    ({ path, outcome, childRunId }) =>
      `| ${markdownCell(path)} | ${outcome ?? (childRunId === null ? 'waiting' : 'running')} |`,
  );
  const gate = waiting === undefined ? [] : [`**Waiting**: ${markdownText(describeWaiting(waiting))}`, ''];
  return linesThatFit([...gate, '| target | state |', '| --- | --- |', ...rows], DETAILS_BYTES);
}

/** The steps and undos of a target. */
export function targetProgressMarkdown({ path, phase, seen, steps, compensations, outcome }: TargetProgress): string {
  const rows = [...steps, ...compensations].map(
    (step) => `| ${[step.title, step.state, step.cloudJobId ?? '', step.seen ?? ''].map(markdownCell).join(' | ')} |`,
  );
  const head = `**${markdownText(path)}**: ${outcome ?? phase}${seen === null ? '' : `, last seen ${markdownText(seen)}`}`;
  const running = [...steps, ...compensations].flatMap(usualEndLine);
  return linesThatFit(
    [head, ...running, '', '| step | state | cloud job | seen |', '| --- | --- | --- | --- |', ...rows],
    DETAILS_BYTES,
  );
}

/** As times of day, because the text is not refreshed while the step runs. */
function usualEndLine({ title, state, startedAtMs, usual }: StepProgress): string[] {
  if (state !== 'running' || startedAtMs === null || usual === undefined) return [];
  return ['', `**${markdownText(title)}**: ${describeUsualEnd(usual, startedAtMs)}`];
}
