/** Schedules as text: differences, what an apply did, the list, the coming occurrences. Pure. */
import { describeDuration } from '../domain/time/duration.js';
import { printable } from '../domain/text/text.js';
import type { Applied } from '../schedules/apply.js';
import type { Change, Json } from '../schedules/changes.js';
import type { Difference, Status } from '../schedules/compare.js';
import type { Occurrence, Occurrences } from '../schedules/occurrences.js';
import type { ListedSchedule, RunNow } from '../schedules/operate.js';
import type { Paint } from './paint.js';
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
  delete: 'to be deleted: the file does not have it any more',
  unchanged: 'unchanged',
  'changed-by-hand': 'changed on the server by hand',
  foreign: 'bears no mark of a file: made by others, or its action was replaced by hand; left alone',
  unreadable: 'cannot be read; left alone',
};

export function renderDifferences(differences: readonly Difference[], paint: Paint): string {
  const lines = printableFacts(differences).flatMap(
    ({ id, name, status, changes, byHand, paused, desired, reason }) => {
      const head = `${MARKS[status]} ${paint.bold(id)}  ${WORDS[status]}${paused ? paint.dim(' (paused)') : ''}`;
      if (status === 'unchanged')
        return [paint.dim(`${MARKS[status]} ${id}  ${WORDS[status]}${paused ? ' (paused)' : ''}`)];
      const then =
        status === 'changed-by-hand'
          ? [`    → apply --overwrite ${name} ${desired === null ? 'deletes it' : 'takes it back'}`]
          : [];
      return [
        ['changed-by-hand', 'foreign', 'unreadable'].includes(status) ? paint.warn(head) : head,
        ...(reason === undefined ? [] : [`    ${reason}`]),
        ...changeLines(byHand, 'by hand: '),
        ...(status === 'create' ? [] : changeLines(changes, '')),
        ...then,
      ];
    },
  );
  return lines.length === 0 ? 'The file names no schedules, and the server has none of its owner' : lines.join('\n');
}

function changeLines(changes: readonly Change[], prefix: string): string[] {
  return changes.map(({ path, from, to }) => `    ${prefix}${path}: ${textOf(from)} → ${textOf(to)}`);
}

function textOf(value: Json): string {
  if (value === null) return 'nothing';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

export function renderApplied(given: readonly Applied[], paint: Paint): string {
  const applied = printableFacts(given);
  const counts = new Map<string, number>();
  for (const { result } of applied) counts.set(result, (counts.get(result) ?? 0) + 1);
  const lines = applied
    .filter(({ result }) => result !== 'unchanged' && result !== 'left-alone')
    .map(({ id, result, error }) =>
      error === undefined
        ? `${paint.bold(id)}  ${result}`
        : paint.bad(`${id}  ${error.kind}: ${messageLines(error.message).join('\n')}`),
    );
  const summary = [...counts].map(([result, count]) => `${count} ${result}`).join(', ');
  return [...lines, summary === '' ? 'Nothing to apply' : summary].join('\n');
}

export function renderList(given: readonly ListedSchedule[], paint: Paint): string {
  const listed = printableFacts(given);
  if (listed.length === 0) return 'There are no schedules from files';
  const width = Math.max(...listed.map(({ id }) => id.length));
  return listed
    .flatMap(({ id, runbook, paused, note, nextAt, state, runningRuns, lastRun }) => [
      `${paint.bold(id.padEnd(width))}  ${runbook}  ${paused ? paint.warn(pausedWords(note)) : `next ${nextAt ?? 'never'}`}`,
      ...(state === 'applied' ? [] : [paint.warn(`    ${WORDS['changed-by-hand']}`)]),
      ...(runningRuns.length === 0 ? [] : [paint.dim(`    under way: ${runningRuns.join(', ')}`)]),
      ...(lastRun === null ? [] : [paint.dim(`    last: ${lastRun.workflowId}`)]),
    ])
    .join('\n');
}

/** The note of `pause` says `paused by …` itself. */
function pausedWords(note: string | null): string {
  if (note === null) return 'paused';
  return note.startsWith('paused') ? note : `paused: ${note}`;
}

/** `window`: the length of the schedule's window; `null` where somebody took it out on the server. */
export function renderRunNow(given: RunNow, window: string | null): string {
  const told = printableFacts(given);
  const fresh =
    window === null ? [] : [`Its window:  a fresh one of ${printable(window)} from now, its freezes as always`];
  switch (told.kind) {
    case 'started':
      return [
        `Started run ${told.workflowId}`,
        ...fresh,
        `Follow it:   runbook watch ${told.workflowId}`,
        `Its report:  runbook report ${told.workflowId}`,
      ].join('\n');
    case 'waits':
      return [`It starts when this run has ended: ${told.runningRuns.join(', ')}`, ...fresh].join('\n');
    case 'skipped':
      if (told.oneWaits)
        return `Not started (overlap: buffer-one): one run waits already for this one to end: ${told.runningRuns.join(', ')}`;
      return `Not started (overlap: skip): this run is still under way: ${told.runningRuns.join(', ')}`;
    case 'unknown':
      return 'The server has not started it yet; look again with: runbook schedule list';
  }
}

export interface ShownOccurrences extends Occurrences {
  readonly id: string;
  /** `recover on shop/checkout/prod-1` */
  readonly summary: string;
  readonly paused: boolean;
  /** In words: see `describeSurprise`. */
  readonly warnings: readonly string[];
  /** Milliseconds; 0 where there is none. */
  readonly jitterMs: number;
}

export function renderOccurrences(given: ShownOccurrences, paint: Paint): string {
  const { id, summary, paused, timezone, coming, warnings, problems, jitterMs } = printableFacts(given);
  return [
    `${paint.bold(id)}  ${summary}`,
    ...(paused ? [paint.warn('  paused: none of these starts a run until it is resumed')] : []),
    ...(jitterMs > 0 && coming.length > 0 ? [paint.dim(`  ${jitterWords(jitterMs)}`)] : []),
    ...(coming.length === 0
      ? ['  nothing comes in that time']
      : coming.map((each) => occurrenceLine(each, timezone, problems.length > 0, paint))),
    ...warnings.map((warning) => paint.warn(`  ! ${warning}`)),
    ...problems.map(({ place, found }) => paint.warn(`  ! ${place}: ${found}`)),
  ].join('\n');
}

/** The server tells the times of the starts only. */
function jitterWords(jitterMs: number): string {
  return `jitter ${describeDuration(jitterMs)}: each start, as listed, is up to that long after its nominal time, from which its window counts`;
}

function occurrenceLine(
  { atMs, localTime, comesTwice, freezes }: Occurrence,
  zone: string,
  isUnreadable: boolean,
  paint: Paint,
): string {
  const utc = new Date(atMs).toISOString().replace('.000Z', 'Z');
  const frozen = freezes.map(
    ({ calendar, name, fromMs, toMs, atStart }) =>
      `${atStart ? 'frozen' : `freezes at ${new Date(fromMs).toISOString()}`}: ${name} (${calendar}) until ${new Date(toMs).toISOString()}`,
  );
  const unreadable = isUnreadable ? ['a calendar cannot be read, which counts as frozen'] : [];
  const notes = [...(comesTwice ? ['this time comes twice on that day'] : []), ...frozen, ...unreadable];
  return `  ${localTime} ${zone}  ${paint.dim(utc)}${notes.length === 0 ? '' : `  ${paint.warn(notes.join('; '))}`}`;
}
