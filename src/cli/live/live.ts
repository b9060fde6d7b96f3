/** The live view between two keys: what it asks the operator, and what a key leads to. Pure. */
import type { RunSnapshot } from '../../client/report-snapshot.js';
import { LONGEST_ARGUMENT, type CommandAnswer } from '../../domain/steering/commands.js';
import { hasControlCharacters } from '../../domain/text/text.js';
import { answerWords } from '../render-steering.js';
import { offerOf, possibleOrders, type Order } from './orders.js';

/** A key that was typed. */
export interface Key {
  /** `return`, `escape`, `backspace`, or the letter with Ctrl; absent for other characters. */
  readonly name?: string | undefined;
  /** What it types. */
  readonly text: string;
  readonly ctrl: boolean;
}

/** What the view asks, or has to say. */
export type Mode =
  | { readonly name: 'watching'; readonly notice: Notice | null }
  /** The reason is being typed. */
  | { readonly name: 'asking'; readonly order: Order; readonly reason: string }
  | { readonly name: 'confirming'; readonly order: Order; readonly reason: string }
  /** No key but those that leave has an effect. */
  | { readonly name: 'sending'; readonly order: Order };

/** What came of the last command. */
interface Notice {
  readonly text: string;
  readonly isRefused: boolean;
}

/** What must be done. */
export type Effect =
  | { readonly kind: 'send'; readonly order: Order; readonly reason: string }
  /** Leave the view; the run continues. */
  | { readonly kind: 'leave' }
  /** Ctrl-Z. */
  | { readonly kind: 'suspend' };

/** A mode, and what must be done; `null`: nothing. */
export interface Pressed {
  readonly mode: Mode;
  readonly effect: Effect | null;
}

/** Before the first key. */
export const WATCHING: Mode = { name: 'watching', notice: null };

/**
 * What a key leads to, once it counts as one (`typing.ts`). A command needs its own key, a typed reason and Enter, all but a
 * pause also `y`, and until it is answered no other one is taken.
 *
 * @param snapshot `null` before the first one
 */
export function press(mode: Mode, key: Key, snapshot: RunSnapshot | null): Pressed {
  if (key.ctrl && key.name === 'z') return { mode, effect: { kind: 'suspend' } };
  switch (mode.name) {
    case 'watching':
      return pressWhileWatching(mode, key, snapshot);
    case 'asking':
      return pressWhileAsking(mode, key);
    case 'confirming':
      return pressWhileConfirming(mode, key);
    case 'sending':
      return isLeaving(key) ? { mode, effect: { kind: 'leave' } } : stay(mode);
  }
}

function pressWhileWatching(mode: Mode, key: Key, snapshot: RunSnapshot | null): Pressed {
  if (isLeaving(key)) return { mode, effect: { kind: 'leave' } };
  const possible = snapshot === null || key.ctrl ? [] : possibleOrders(snapshot);
  const order = possible.find((each) => offerOf(each).key === key.text);
  return stay(order === undefined ? mode : { name: 'asking', order, reason: '' });
}

function pressWhileAsking(mode: Extract<Mode, { name: 'asking' }>, key: Key): Pressed {
  const { order, reason } = mode;
  if (key.name === 'escape') return stay(WATCHING);
  if (key.name === 'return') {
    const given = reason.trim();
    if (given === '') return stay(mode);
    return offerOf(order).isConfirmed ? stay({ ...mode, name: 'confirming', reason: given }) : send(order, given);
  }
  if (key.name === 'backspace') return stay({ ...mode, reason: withoutLast(reason) });
  if (key.ctrl) return stay(key.name === 'u' ? { ...mode, reason: '' } : mode);
  const longer = `${reason}${key.text}`;
  const isText = key.text !== '' && !hasControlCharacters(key.text);
  return stay(isText && longer.length <= LONGEST_ARGUMENT.reason ? { ...mode, reason: longer } : mode);
}

/** Only `y` confirms. Enter does not, because it may still be held down. */
function pressWhileConfirming(mode: Extract<Mode, { name: 'confirming' }>, key: Key): Pressed {
  if (key.text === 'y' || key.text === 'Y') return send(mode.order, mode.reason);
  return stay(key.name === 'escape' || key.text === 'n' || key.text === 'N' ? WATCHING : mode);
}

/** Half of a pair of code units would be left otherwise. */
function withoutLast(text: string): string {
  return Array.from(text).slice(0, -1).join('');
}

function send(order: Order, reason: string): Pressed {
  return { mode: { name: 'sending', order }, effect: { kind: 'send', order, reason } };
}

function stay(mode: Mode): Pressed {
  return { mode, effect: null };
}

/** Does it end the watching, unless a text is typed? */
export function isLeaving({ text, ctrl }: Key): boolean {
  return text === 'q' && !ctrl;
}

/** The run has accepted the command. */
export function afterAnswer(answer: CommandAnswer): Mode {
  return { name: 'watching', notice: { text: answerWords(answer), isRefused: false } };
}

/** The command was refused, or no worker answered. @param why lists what is possible now, where the run refused it */
export function afterRefusal(why: string): Mode {
  return { name: 'watching', notice: { text: why.replace(/\s+/g, ' '), isRefused: true } };
}
