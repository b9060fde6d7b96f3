/** Renders lists of runs, as `runbook ls` shows them. Pure. */
import type { ListedRun } from '../client/list-runs.js';
import type { Attention } from '../domain/run/attention.js';
import { describeDuration } from '../domain/time/duration.js';
import { describeTime } from '../domain/time/utc-time.js';
import { shellWord } from '../domain/text/shell-word.js';
import type { Colors } from './colors.js';
import { printableFacts } from './terminal-text.js';

/** What `runbook ls --json` prints. */
export interface ShownRuns {
  /** Runs that need a person; none of them is in `runs`. */
  readonly needsYou: readonly ListedRun[];
  /** There are more of `needsYou`. */
  readonly moreNeedYou: boolean;
  readonly runs: readonly ListedRun[];
  /** There are more of `runs`. */
  readonly more: boolean;
}

/** Why, in words, and the command that shows more. */
const ATTENTIONS: Readonly<Record<Attention, { readonly words: string; readonly command: 'report' | 'watch' }>> = {
  indeterminate: { words: 'it is not known what happened', command: 'report' },
  compensationFailed: { words: 'an undo failed: check the instance', command: 'report' },
  leftChanged: { words: 'it did not succeed, and left this behind', command: 'report' },
  noReport: { words: 'it ended without a report: nothing was undone', command: 'watch' },
  paused: { words: 'paused', command: 'watch' },
  blocked: { words: 'a step waits for your decision', command: 'watch' },
  waitingForApproval: { words: 'waits for an approval', command: 'watch' },
};

/** The runs that need a person first, then the others in lines of columns. @param nowMs epoch milliseconds */
export function renderRuns(given: ShownRuns, nowMs: number, colors: Colors): string {
  const { needsYou, moreNeedYou, runs, more } = printableFacts(given);
  const lines: string[] = [];
  if (needsYou.length > 0)
    lines.push(colors.bold('NEEDS YOU'), ...needsYou.flatMap((run) => attentionLines(run, nowMs, colors)));
  if (moreNeedYou) lines.push(colors.warn('  There are more. Narrow the list, such as with --target'));
  if (needsYou.length > 0) lines.push('');
  if (runs.length > 0) lines.push(...runLines(runs, nowMs, colors));
  else lines.push(needsYou.length > 0 ? 'No other run matches' : 'No run matches');
  if (more) lines.push(colors.warn('There are more runs. See them with a higher --limit, or narrow the list'));
  return lines.join('\n');
}

function attentionLines(run: ListedRun, nowMs: number, colors: Colors): string[] {
  const { attention, workflowId, runbook, requestedBy } = run;
  const { words, command } = ATTENTIONS[attention ?? 'noReport'];
  const by = requestedBy === null ? '' : `, requested by ${requestedBy}`;
  return [
    `${colors.bad('!')} ${runbook} on ${targetWords(run)}: ${colors.bad(words)}`,
    ...leftLines(run, colors),
    `    ${colors.dim(`${whenWords(run, nowMs)}${by}`)}`,
    `    → runbook ${command} ${shellWord(workflowId)}`,
  ];
}

/** Chosen: more are in the report. */
const MOST_LEFT = 3;

/** The path is named in the line above if it is the only target. */
function leftLines({ left, targets }: ListedRun, colors: Colors): string[] {
  const shown = left.slice(0, MOST_LEFT).map(({ path, what }) => (targets.length === 1 ? what : `${path}: ${what}`));
  const more = left.length > MOST_LEFT ? [`… ${left.length - MOST_LEFT} more`] : [];
  return [...shown, ...more].map((line) => `    ${colors.warn(line)}`);
}

function whenWords({ startedAtMs, endedAtMs }: ListedRun, nowMs: number): string {
  return endedAtMs === null
    ? `open for ${describeDuration(Math.max(0, nowMs - startedAtMs))}, since ${describeTime(startedAtMs)}`
    : `ended ${describeTime(endedAtMs)}, ${describeDuration(Math.max(0, nowMs - endedAtMs))} ago`;
}

const HEAD = ['state', 'started (UTC)', 'took', 'id', 'runbook', 'target', 'requested by'];

function runLines(runs: readonly ListedRun[], nowMs: number, colors: Colors): string[] {
  const rows = runs.map((run) => {
    const { startedAtMs, endedAtMs, workflowId, runbook, requestedBy } = run;
    const took = describeDuration(Math.max(0, (endedAtMs ?? nowMs) - startedAtMs));
    return [stateOf(run), minuteOf(startedAtMs), took, workflowId, runbook, targetWords(run), requestedBy ?? ''];
  });
  const widths = HEAD.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const lineOf = (cells: readonly string[], paint: (text: string) => string) =>
    cells
      .map((cell, column) => (column === 0 ? paint(cell.padEnd(widths[0] ?? 0)) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [
    colors.dim(lineOf(HEAD, (text) => text)),
    ...rows.map((row, index) => lineOf(row, painterOf(runs[index], colors))),
  ];
}

function painterOf(run: ListedRun | undefined, colors: Colors): (text: string) => string {
  if (run === undefined || run.open) return colors.result('running');
  return run.outcome === null ? colors.bad : colors.outcome(run.outcome);
}

/** The outcome; of an open run what it does, and of one without a report how Temporal ended it. */
export function stateOf({ open, outcome, status, targets }: ListedRun): string {
  if (outcome !== null) return outcome;
  if (open && status === 'RUNNING') return targets.length === 0 ? 'planning' : 'running';
  return status.toLowerCase().replaceAll('_', ' ');
}

function targetWords({ targets }: Pick<ListedRun, 'targets'>): string {
  const [first, ...rest] = targets;
  if (first === undefined) return '(not planned)';
  // The last item may say `+12 more`.
  const left = rest.at(-1)?.match(/^\+(\d+) more$/)?.[1];
  const others = left === undefined ? rest.length : rest.length - 1;
  return others === 0 ? first : `${first} +${others}`;
}

/** `2026-11-30 02:10` */
function minuteOf(ms: number): string {
  return describeTime(ms).slice(0, 16).replace('T', ' ');
}
