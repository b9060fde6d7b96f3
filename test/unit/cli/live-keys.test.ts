/** What each key of the live view leads to. */
import { describe, expect, it } from 'vitest';
import {
  afterAnswer,
  afterRefusal,
  press,
  WATCHING,
  type Effect,
  type Key,
  type Mode,
} from '../../../src/cli/live/live.js';
import { offerOf } from '../../../src/cli/live/orders.js';
import { APPROVAL_COMMANDS, RUN_COMMANDS, TARGET_COMMANDS } from '../../../src/domain/steering/command-names.js';
import { aRun, aRunOf, aShownTarget } from '../../support/live.js';

const run = aRunOf([]);
const typed = (text: string): Key[] => Array.from(text).map((each) => ({ name: each, text: each, ctrl: false }));
const ENTER: Key = { name: 'return', text: '\r', ctrl: false };
const ESCAPE: Key = { name: 'escape', text: '\u001b', ctrl: false };
const BACKSPACE: Key = { name: 'backspace', text: '\u007f', ctrl: false };
const ctrl = (name: string): Key => ({ name, text: '', ctrl: true });

function pressed(keys: readonly Key[], given = run, from: Mode = WATCHING): { mode: Mode; effects: Effect[] } {
  let mode = from;
  const effects = keys.flatMap((key) => {
    const next = press(mode, key, given);
    mode = next.mode;
    return next.effect === null ? [] : [next.effect];
  });
  return { mode, effects };
}

const pause = { kind: 'send', order: { command: 'pause', about: '' }, reason: 'the database is slow' };

describe('a command by key', () => {
  it('asks for a reason, and is sent at Enter', () => {
    expect(pressed([...typed('pthe database is slow'), ENTER]).effects).toEqual([pause]);
    expect(pressed(typed('pthe')).mode).toMatchObject({ name: 'asking', reason: 'the' });
  });

  it('is not sent without a reason', () => {
    expect(pressed([...typed('p  '), ENTER, ENTER]).effects).toEqual([]);
  });

  it('is not sent when Esc goes back', () => {
    expect(pressed([...typed('pwhy'), ESCAPE, ENTER])).toEqual({ mode: WATCHING, effects: [] });
    expect(pressed([...typed('xwhy'), ENTER, ESCAPE, ...typed('y')])).toEqual({ mode: WATCHING, effects: [] });
  });

  it('takes a correction of the reason, and nothing that controls a terminal', () => {
    const keys = [
      ...typed('pwrong'),
      ctrl('u'),
      ...typed('rightt'),
      BACKSPACE,
      { text: '\u001b[A', ctrl: false },
      ctrl('a'),
    ];
    expect(pressed([...keys, ENTER]).effects).toMatchObject([{ reason: 'right' }]);
    expect(pressed([...typed('p' + 'a'.repeat(1_200)), ENTER]).effects).toMatchObject([{ reason: 'a'.repeat(1_000) }]);
  });

  it('is taken only if it is possible now', () => {
    for (const key of 'anrtsm') expect(pressed(typed(key)).mode).toEqual(WATCHING);
    const paused = aRunOf([], { run: { pause: { state: 'paused', actor: 'ann', reason: 'slow', sinceMs: 0 } } });
    expect(pressed(typed('p'), paused).mode).toEqual(WATCHING);
    expect(pressed(typed('r'), paused).mode).toMatchObject({ name: 'asking', order: { command: 'resume' } });
    expect(press(WATCHING, { name: 'p', text: 'p', ctrl: false }, null).mode).toEqual(WATCHING);
    expect(pressed([ctrl('p')]).mode).toEqual(WATCHING);
  });

  it('has a key of its own, which does not leave', () => {
    const keys = [...RUN_COMMANDS, ...TARGET_COMMANDS, ...APPROVAL_COMMANDS].map(
      (name) => offerOf({ command: name }).key,
    );
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).not.toContain('q');
  });
});

describe('a key that sends or ends something', () => {
  it('is every one but pause', () => {
    const all = [...RUN_COMMANDS, ...TARGET_COMMANDS, ...APPROVAL_COMMANDS];
    expect(all.filter((command) => !offerOf({ command }).isConfirmed)).toEqual(['pause']);
  });

  it('is confirmed by y, after the reason', () => {
    const asked = [...typed('xwrong version'), ENTER];
    expect(pressed(asked)).toMatchObject({ mode: { name: 'confirming', reason: 'wrong version' }, effects: [] });
    expect(pressed([...asked, ...typed('n')])).toEqual({ mode: WATCHING, effects: [] });
    expect(pressed([...asked, ...typed('y')]).effects).toMatchObject([
      { kind: 'send', order: { command: 'abort' }, reason: 'wrong version' },
    ]);
  });
});

describe('a key that is held down', () => {
  const held = (key: Key) => Array.from({ length: 200 }, () => key);
  const blocked = { step: 'restart', why: 'x', untilMs: 1 };
  const approval = {
    ...{ step: 'done', title: 'Done?', need: 1, roles: [], notRequester: true, votes: [], askedAtMs: 0, untilMs: 1 },
  };
  const everything = aRun([aShownTarget('a/b/c', { blocked, approval })]);

  it.each(Array.from('anrtsmpxyq', (key) => [key]))('(%s) commands nothing', (key) => {
    expect(pressed(typed(key.repeat(200)), everything).effects.filter(({ kind }) => kind === 'send')).toEqual([]);
  });

  it('sends a command once, whatever follows while it is not answered', () => {
    const sent = [...typed('pslow'), ...held(ENTER), ...typed('ppp'), ...held(ENTER), ...typed('xyyyy')];
    expect(pressed(sent).effects).toHaveLength(1);
    const aborted = [...typed('xslow'), ...held(ENTER), ...typed('y'.repeat(200)), ...held(ENTER)];
    expect(pressed(aborted).effects).toHaveLength(1);
  });
});

describe('leaving', () => {
  const everywhere: Mode[] = [
    WATCHING,
    { name: 'asking', order: { command: 'pause', about: '' }, reason: 'x' },
    { name: 'confirming', order: { command: 'abort', about: '' }, reason: 'x' },
    { name: 'sending', order: { command: 'pause', about: '' } },
  ];

  it('is possible by q, unless a text is typed', () => {
    const left = everywhere.map((mode) => press(mode, { name: 'q', text: 'q', ctrl: false }, run).effect?.kind ?? null);
    expect(left).toEqual(['leave', null, null, 'leave']);
  });

  it('is not what Ctrl-Z does', () => {
    expect(press(WATCHING, ctrl('z'), run).effect).toEqual({ kind: 'suspend' });
  });
});

describe('what came of a command', () => {
  it('is shown in the words of the command line', () => {
    const answer = { command: 'pause', state: 'pausing', atMs: 0, repeated: false } as const;
    expect(afterAnswer(answer)).toMatchObject({
      notice: { text: 'Accepted: the run pauses as soon as nothing is in flight', isRefused: false },
    });
    expect(afterRefusal('pause is refused: the run is\n paused already. Possible now: resume')).toMatchObject({
      notice: { text: 'pause is refused: the run is paused already. Possible now: resume', isRefused: true },
    });
  });

  it('stays until the next command, not until the next key', () => {
    const notice = afterRefusal('no');
    expect(pressed(typed('yyzz'), run, notice).mode).toEqual(notice);
    expect(pressed(typed('p'), run, notice).mode.name).toBe('asking');
  });
});
