/** Renders schedules as text: differences, results of an apply, the list, coming occurrences. Pure. */
import { describeDuration } from '../domain/time/duration.js';
import { printable } from '../domain/text/text.js';
import type { Applied } from '../schedules/apply.js';
import type { Change, Json } from '../schedules/changes.js';
import type { Difference, Status } from '../schedules/compare.js';
import type { Occurrence, Occurrences } from '../schedules/occurrences.js';
import type { ListedSchedule, RunNow } from '../schedules/operate.js';
import type { Colors } from './colors.js';
import { messageLines, printableFacts } from './terminal-text.js';

const MARKS: Readonly<Record<Status, string>> = {
  create: '+',
  update: '~',
  delete: '-',
  unchanged: '=',
  'changed-by-hand': '!',
  foreign: '?',
  unreadable: '?',
};
const WORDS: Readonly<Record<Status, string>> = {
  create: 'to be created',
  update: 'to be updated',
  delete: 'to be deleted: no longer in the file',
  unchanged: 'unchanged',
  'changed-by-hand': 'changed on the server by hand',
  foreign: 'not created from a file, or its action was replaced by hand; left alone',
  unreadable: 'cannot be read; left alone',
};

/** Renders `schedule diff`. */
export function renderDifferences(differences: readonly Difference[], colors: Colors): string {
  const lines = printableFacts(differences).flatMap(
    ({ id, name, status, changes, byHand, paused, desired, reason }) => {
      const head = `${MARKS[status]} ${colors.bold(id)}  ${WORDS[status]}${paused ? colors.dim(' (paused)') : ''}`;
      if (status === 'unchanged')
        return [colors.dim(`${MARKS[status]} ${id}  ${WORDS[status]}${paused ? ' (paused)' : ''}`)];
      const then =
        status === 'changed-by-hand'
          ? [`    → apply --overwrite ${name} ${desired === null ? 'deletes it' : 'reverts the change'}`]
          : [];
      return [
        ['changed-by-hand', 'foreign', 'unreadable'].includes(status) ? colors.warn(head) : head,
        ...(reason === undefined ? [] : [`    ${reason}`]),
        ...changeLines(byHand, 'by hand: '),
        ...(status === 'create' ? [] : changeLines(changes, '')),
        ...then,
      ];
    },
  );
  return lines.length === 0 ? 'The file has no schedules, and the server has none of its owner' : lines.join('\n');
}

function changeLines(changes: readonly Change[], prefix: string): string[] {
  return changes.map(({ path, from, to }) => `    ${prefix}${path}: ${textOf(from)} → ${textOf(to)}`);
}

function textOf(value: Json): string {
  if (value === null) return 'nothing';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Renders what `schedule apply` did. */
export function renderApplied(given: readonly Applied[], colors: Colors): string {
  const applied = printableFacts(given);
  const counts = new Map<string, number>();
  for (const { result } of applied) counts.set(result, (counts.get(result) ?? 0) + 1);
  const lines = applied
    .filter(({ result }) => result !== 'unchanged' && result !== 'left-alone')
    .map(({ id, result, error }) =>
      error === undefined
        ? `${colors.bold(id)}  ${result}`
        : colors.bad(`${id}  ${error.kind}: ${messageLines(error.message).join('\n')}`),
    );
  const summary = [...counts].map(([result, count]) => `${count} ${result}`).join(', ');
  return [...lines, summary === '' ? 'Nothing to apply' : summary].join('\n');
}

/** Renders `schedule list`. */
export function renderList(given: readonly ListedSchedule[], colors: Colors): string {
  const listed = printableFacts(given);
  if (listed.length === 0) return 'There are no schedules that were created from files';
  const width = Math.max(...listed.map(({ id }) => id.length));
  return listed
    .flatMap(({ id, runbook, paused, note, nextAt, state, runningRuns, lastRun }) => [
      `${colors.bold(id.padEnd(width))}  ${runbook}  ${paused ? colors.warn(pausedWords(note)) : `next ${nextAt ?? 'never'}`}`,
      ...(state === 'applied' ? [] : [colors.warn(`    ${WORDS['changed-by-hand']}`)]),
      ...(runningRuns.length === 0 ? [] : [colors.dim(`    running: ${runningRuns.join(', ')}`)]),
      ...(lastRun === null ? [] : [colors.dim(`    last: ${lastRun.workflowId}`)]),
    ])
    .join('\n');
}

/** The note of `pause` already begins with `paused by …`. */
function pausedWords(note: string | null): string {
  if (note === null) return 'paused';
  return note.startsWith('paused') ? note : `paused: ${note}`;
}

/**
 * Renders the result of `schedule run-now`.
 * @param window length of the schedule's window; `null` if someone removed it on the server
 */
export function renderRunNow(given: RunNow, window: string | null): string {
  const result = printableFacts(given);
  const fresh = window === null ? [] : [`Its window:  ${printable(window)} from now; its freezes apply`];
  switch (result.kind) {
    case 'started':
      return [
        `Started run ${result.workflowId}`,
        ...fresh,
        `Follow it:   runbook watch ${result.workflowId}`,
        `Its report:  runbook report ${result.workflowId}`,
      ].join('\n');
    case 'waits':
      return [`It starts when this run has ended: ${result.runningRuns.join(', ')}`, ...fresh].join('\n');
    case 'skipped':
      if (result.oneWaits)
        return `Not started (overlap: buffer-one): a run is already waiting for this one to end: ${result.runningRuns.join(', ')}`;
      return `Not started (overlap: skip): this run is still in progress: ${result.runningRuns.join(', ')}`;
    case 'unknown':
      return 'The server has not started it yet; check with: runbook schedule list';
  }
}

/** The coming occurrences of one schedule, with the facts that `schedule next` shows beside them. */
export interface ShownOccurrences extends Occurrences {
  readonly id: string;
  /** `recover on shop/checkout/prod-1` */
  readonly summary: string;
  readonly paused: boolean;
  /** Sentences from `describeSurprise`. */
  readonly warnings: readonly string[];
  /** Milliseconds; 0 without jitter. */
  readonly jitterMs: number;
}

/** Renders `schedule next`. */
export function renderOccurrences(given: ShownOccurrences, colors: Colors): string {
  const { id, summary, paused, timezone, coming, warnings, problems, jitterMs } = printableFacts(given);
  return [
    `${colors.bold(id)}  ${summary}`,
    ...(paused ? [colors.warn('  paused: none of these starts a run until it is resumed')] : []),
    ...(jitterMs > 0 && coming.length > 0 ? [colors.dim(`  ${jitterWords(jitterMs)}`)] : []),
    ...(coming.length === 0
      ? ['  no occurrences in that time']
      : coming.map((each) => occurrenceLine(each, timezone, problems.length > 0, colors))),
    ...warnings.map((warning) => colors.warn(`  ! ${warning}`)),
    ...problems.map(({ place, found }) => colors.warn(`  ! ${place}: ${found}`)),
  ].join('\n');
}

/** The server reports only the times of the starts, with jitter added. */
function jitterWords(jitterMs: number): string {
  return `jitter ${describeDuration(jitterMs)}: the times include it; each window counts from the nominal time, up to that much earlier`;
}

function occurrenceLine(
  { atMs, localTime, comesTwice, freezes }: Occurrence,
  zone: string,
  isUnreadable: boolean,
  colors: Colors,
): string {
  const utc = new Date(atMs).toISOString().replace('.000Z', 'Z');
  const frozen = freezes.map(
    ({ calendar, name, fromMs, toMs, atStart }) =>
      `${atStart ? 'frozen' : `freezes at ${new Date(fromMs).toISOString()}`}: ${name} (${calendar}) until ${new Date(toMs).toISOString()}`,
  );
  const unreadable = isUnreadable ? ['a calendar cannot be read, which counts as frozen'] : [];
  const notes = [...(comesTwice ? ['this time comes twice on that day'] : []), ...frozen, ...unreadable];
  return `  ${localTime} ${zone}  ${colors.dim(utc)}${notes.length === 0 ? '' : `  ${colors.warn(notes.join('; '))}`}`;
}
