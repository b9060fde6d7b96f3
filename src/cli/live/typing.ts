/**
 * What is typed into the live view, before it counts as a key. A shell command that is typed or pasted into the wrong terminal
 * must command nothing, so a key counts only by itself. Pure: every time is an argument, in milliseconds of any one clock.
 */
import { stripVTControlCharacters } from 'node:util';
import type { RunSnapshot } from '../../client/report-snapshot.js';
import { LONGEST_ARGUMENT } from '../../domain/steering/commands.js';
import { isLeaving, press, WATCHING, type Effect, type Key, type Mode, type Pressed } from './live.js';

/** Chosen: a word is typed faster than this, and a key that is meant comes after some thought. */
const QUIET_BEFORE_MS = 500;
/** Chosen: the next letter of a word comes sooner, and a question that opens after it still seems to open at once. */
const QUIET_AFTER_MS = 300;
/** How long nothing may be typed before keys count again after something that was none. Chosen: a pause between two words. */
const QUIET_AGAIN_MS = 1_000;
/** Chosen: long enough to read. */
const HINT_MS = 5_000;

/** Has the terminal put marks around what is pasted. */
export const MARK_PASTES = '\u001b[?2004h';
/** The opposite of `MARK_PASTES`. */
export const UNMARK_PASTES = '\u001b[?2004l';
const PASTE_BEGINS = '\u001b[200~';
const PASTE_ENDS = '\u001b[201~';

/** What the view asks, and what was typed lately. */
export interface Typing {
  readonly mode: Mode;
  /** When something was typed last; `null`: never. */
  readonly lastMs: number | null;
  /** Something was typed that is not a key: none counts before it has been quiet. */
  readonly isIgnoring: boolean;
  /** A key that counts if nothing else is typed until then. */
  readonly held: { readonly pressed: Pressed; readonly untilMs: number } | null;
  /** The newest characters of a paste whose end has not come, which may begin its end; `null`: nothing is being pasted. */
  readonly pasted: string | null;
  /** When the view last reported that something was ignored. */
  readonly hintedMs: number | null;
}

/** What is typed next, and what must be done; `null`: nothing. */
export interface Typed {
  readonly typing: Typing;
  readonly effect: Effect | null;
}

/** Before the first key. */
export const NOTHING_TYPED: Typing = {
  ...{ mode: WATCHING, lastMs: null, isIgnoring: false },
  ...{ held: null, pasted: null, hintedMs: null },
};

/**
 * What one read of the terminal leads to. Several characters in one read are a paste, or were typed ahead: they can only be the text of a
 * reason, and Enter among them is a space. Ctrl-C always leaves. A key that is still held does not count, because something follows it.
 *
 * @param text as read: one key, or several
 * @param snapshot what the operator sees; `null` before the first one
 */
export function type(typing: Typing, text: string, atMs: number, snapshot: RunSnapshot | null): Typed {
  if (text === '') return nothing(typing);
  if (text.includes('\u0003')) return { typing: { ...typing, held: null }, effect: { kind: 'leave' } };
  if (typing.pasted !== null) return paste(typing, text, atMs, snapshot);
  const begin = text.indexOf(PASTE_BEGINS);
  if (begin >= 0) return paste(typing, text.slice(begin + PASTE_BEGINS.length), atMs, snapshot);
  const isOne = Array.from(text).length === 1;
  return isOne ? typeOne(typing, keyOf(text), atMs, snapshot) : typeSeveral(typing, text, atMs);
}

/** The held key counts once its time has passed. To be called when `untilMs` of it has come. */
export function settle(typing: Typing, nowMs: number): Typed {
  const { held } = typing;
  if (held === null || nowMs < held.untilMs) return nothing(typing);
  const { mode, effect } = held.pressed;
  return { typing: { ...typing, mode, held: null, hintedMs: null }, effect };
}

/** What was ignored lately is explained. @returns `null` if nothing was */
export function hintOf({ mode, hintedMs }: Typing, nowMs: number): string | null {
  return hintedMs === null || nowMs - hintedMs >= HINT_MS ? null : HINTS[mode.name];
}

const HINTS: Readonly<Record<Mode['name'], string>> = {
  watching: 'keys only; q leaves',
  asking: `a reason has at most ${LONGEST_ARGUMENT.reason} characters`,
  confirming: 'one key by itself: wait a moment, then y or n',
  sending: 'keys only; q leaves',
};

function paste(typing: Typing, text: string, atMs: number, snapshot: RunSnapshot | null): Typed {
  // The mark may be split between two reads.
  const known = `${typing.pasted ?? ''}${text}`;
  const end = known.indexOf(PASTE_ENDS);
  const until = end < 0 ? Math.max(0, known.length - PASTE_ENDS.length + 1) : end;
  const { mode } = typing;
  const taken = mode.name === 'asking' ? withText(typing, mode, known.slice(0, until), atMs) : ignored(typing, atMs);
  const after = { ...taken, pasted: end < 0 ? known.slice(until) : null };
  return end < 0 ? nothing(after) : type(after, known.slice(end + PASTE_ENDS.length), atMs, snapshot);
}

function typeOne(typing: Typing, key: Key, atMs: number, snapshot: RunSnapshot | null): Typed {
  const { mode, lastMs, isIgnoring } = typing;
  const pressed = press(mode, key, snapshot);
  if (mode.name === 'asking') return count(typing, pressed, atMs);
  if (key.ctrl) return { typing: { ...typing, held: null, lastMs: atMs }, effect: pressed.effect };
  const isAlone = lastMs === null || atMs - lastMs >= (isIgnoring ? QUIET_AGAIN_MS : QUIET_BEFORE_MS);
  if (mode.name === 'confirming') {
    if (pressed.effect === null) return count(typing, pressed, atMs);
    return isAlone ? hold(typing, pressed, atMs) : nothing({ ...ignored(typing, atMs), isIgnoring: false });
  }
  if (isLeaving(key)) {
    if (isAlone) return count(typing, pressed, atMs);
    // Pressing q again and again leaves in the end, so it does not begin the quiet time again.
    return nothing({ ...ignored(typing, atMs), lastMs });
  }
  const isKey = pressed.mode.name === 'asking';
  return isAlone && isKey ? hold(typing, pressed, atMs) : nothing(ignored(typing, atMs));
}

function typeSeveral(typing: Typing, text: string, atMs: number): Typed {
  // An arrow, or another key without a letter.
  if (text.startsWith('\u001b')) return nothing({ ...typing, held: null, lastMs: atMs });
  // An input method commits whole words, a slow connection brings several letters at once, and not every terminal marks what is pasted.
  const { mode } = typing;
  return nothing(mode.name === 'asking' ? withText(typing, mode, text, atMs) : ignored(typing, atMs));
}

/** The reason with the text behind it, on one line: a line break in it is a space, and other control characters are left out. */
function withText(typing: Typing, asking: Extract<Mode, { name: 'asking' }>, text: string, atMs: number): Typing {
  // The last read of a paste may have nothing but its end.
  if (text === '') return typing;
  const room = LONGEST_ARGUMENT.reason - asking.reason.length;
  // Esc by itself would leave the question, and the rest of the paste would be lost.
  const line = stripVTControlCharacters(text)
    .replaceAll('\u001b', '')
    .replace(/[\t\r\n]+/g, ' ');
  const isLonger = line.length > room;
  const mode = Array.from(line.slice(0, Math.max(0, room)), keyOf).reduce<Mode>(
    (before, key) => (key.ctrl ? before : press(before, key, null).mode),
    asking,
  );
  return { ...count(typing, { mode, effect: null }, atMs).typing, hintedMs: isLonger ? atMs : null };
}

function hold(typing: Typing, pressed: Pressed, atMs: number): Typed {
  return nothing({ ...typing, lastMs: atMs, isIgnoring: false, held: { pressed, untilMs: atMs + QUIET_AFTER_MS } });
}

function count(typing: Typing, { mode, effect }: Pressed, atMs: number): Typed {
  return { typing: { ...typing, mode, lastMs: atMs, isIgnoring: false, held: null, hintedMs: null }, effect };
}

function ignored(typing: Typing, atMs: number): Typing {
  return { ...typing, lastMs: atMs, isIgnoring: true, held: null, hintedMs: atMs };
}

function nothing(typing: Typing): Typed {
  return { typing, effect: null };
}

const NAMED: Readonly<Record<string, Key>> = {
  '\r': { name: 'return', text: '\r', ctrl: false },
  '\n': { name: 'return', text: '\n', ctrl: false },
  '\u001b': { name: 'escape', text: '\u001b', ctrl: false },
  '\b': { name: 'backspace', text: '\b', ctrl: false },
  '\u007f': { name: 'backspace', text: '\u007f', ctrl: false },
  '\u0015': { name: 'u', text: '', ctrl: true },
  '\u001a': { name: 'z', text: '', ctrl: true },
};

/** A control character without a meaning here is a key with Ctrl. */
function keyOf(character: string): Key {
  return NAMED[character] ?? { text: character, ctrl: character < ' ' };
}
