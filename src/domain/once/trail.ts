/** The trail of a step: what its attempts decided. It is kept in every heartbeat and in the report, so what repeats is folded and its size has a bound. */
import { jsonBytes } from '../text/json-bytes.js';
import { clipText } from '../text/text.js';

/** What an attempt decided, in the order of the protocol. */
export type Decision =
  | 'entered'
  | 'sent'
  | 'accepted'
  | 'refused'
  | 'notSent'
  | 'unanswered'
  | 'followed'
  | 'adopted'
  | 'skipped'
  | 'alreadyDone'
  | 'verified'
  | 'fenced'
  | 'stopped'
  /** The attempt ended and is tried again; the note gives the reason. */
  | 'failed'
  | 'leftNoTrace';

/** What an attempt decided; what later attempts repeat is counted here. Times are epoch milliseconds. */
export interface TrailEntry {
  /** The first attempt, if several made this decision. */
  readonly attempt: number;
  readonly atMs: number;
  readonly decision: Decision;
  /** The newest note, if several attempts made this decision. */
  readonly note?: string;
  /** How often it was decided; absent for once. */
  readonly count?: number;
  /** When it was decided last, where it is counted. */
  readonly lastAtMs?: number;
}

/** Chosen: a story of a step that matters has some ten entries. */
const MOST_ENTRIES = 40;
/** Chosen, as JSON: a report of many steps holds as many trails. */
const MOST_BYTES = 4_000;
const LONGEST_NOTE_BYTES = 300;
/** Attempts that end the same way leave one to four entries each: entered, sent, unanswered, failed. */
const LONGEST_CYCLE = 4;
/** Their notes hold the words of an error, with a request id that differs each time. The newest note is kept. */
const NOTE_MAY_DIFFER: readonly Decision[] = ['notSent', 'refused', 'unanswered', 'failed'];

/** The trail with one more entry. A sequence of up to four entries that repeats the one before it is counted there instead of added. */
export function extendTrail(trail: readonly TrailEntry[], entry: TrailEntry): readonly TrailEntry[] {
  const { note } = entry;
  const short = note === undefined ? entry : { ...entry, note: clipText(note, LONGEST_NOTE_BYTES) };
  return trailWithin(folded([...trail, short]), MOST_BYTES);
}

/** At most 40 entries and `maxBytes` bytes as JSON: the first entry and the newest stay, those between go, oldest first. */
export function trailWithin(trail: readonly TrailEntry[], maxBytes: number): readonly TrailEntry[] {
  if (fitsSurely(trail, maxBytes)) return trail;
  const [first, ...later] = trail;
  if (first === undefined) return [];
  let bytes = jsonBytes([first]);
  let from = later.length;
  while (from > 0 && later.length - from < MOST_ENTRIES - 1) {
    bytes += jsonBytes(later[from - 1]) + 1;
    if (bytes > maxBytes) break;
    from--;
  }
  return jsonBytes([first]) > maxBytes ? [] : [first, ...later.slice(from)];
}

/** The keys, the longest decision and four of the longest numbers. */
const MOST_BYTES_WITHOUT_NOTE = 180;
/** As JSON: of a control character, or of half a surrogate pair. */
const MOST_BYTES_OF_A_CHARACTER = 6;

/** An upper bound, so that no JSON is written: this is checked at each entry, and a trail is seldom long. */
function fitsSurely(trail: readonly TrailEntry[], maxBytes: number): boolean {
  if (trail.length > MOST_ENTRIES) return false;
  const noteLength = trail.reduce((sum, { note = '' }) => sum + note.length, 0);
  return trail.length * MOST_BYTES_WITHOUT_NOTE + noteLength * MOST_BYTES_OF_A_CHARACTER <= maxBytes;
}

function folded(trail: readonly TrailEntry[]): readonly TrailEntry[] {
  for (let length = 1; length <= Math.min(LONGEST_CYCLE, trail.length / 2); length++) {
    const before = trail.slice(-2 * length, -length);
    const after = trail.slice(-length);
    if (before.every((entry, index) => repeats(entry, after[index])))
      return [...trail.slice(0, -2 * length), ...before.map((entry, index) => counted(entry, after[index] ?? entry))];
  }
  return trail;
}

function repeats(before: TrailEntry, after: TrailEntry | undefined): boolean {
  if (before.decision !== after?.decision) return false;
  return before.note === after.note || NOTE_MAY_DIFFER.includes(before.decision);
}

function counted(before: TrailEntry, after: TrailEntry): TrailEntry {
  const { note } = after;
  return {
    ...before,
    ...(note === undefined ? {} : { note }),
    count: (before.count ?? 1) + (after.count ?? 1),
    lastAtMs: after.lastAtMs ?? after.atMs,
  };
}
