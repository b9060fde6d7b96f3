/** A shell command that is typed or pasted into the live view commands nothing, and a key that is meant still does. */
import { describe, expect, it } from 'vitest';
import type { Effect } from '../../../src/cli/live/live.js';
import { hintOf, NOTHING_TYPED, settle, type, type Typing } from '../../../src/cli/live/typing.js';
import { LONGEST_ARGUMENT } from '../../../src/domain/steering/commands.js';
import type { RunSnapshot } from '../../../src/client/report-snapshot.js';
import { aRun, aRunOf, aShownTarget } from '../../support/live.js';

const blocked = { step: 'restart', why: 'x', untilMs: 1 };
const approval = {
  ...{ step: 'done', title: 'Done?', need: 1, roles: [], notRequester: true, votes: [], askedAtMs: 0, untilMs: 1 },
};
const everything = aRun([aShownTarget('a/b/c', { blocked, approval })]);
const paused = aRunOf([], { run: { pause: { state: 'paused', actor: 'ann', reason: 'slow', sinceMs: 0 } } });

/** A read of the terminal, and the milliseconds since the one before. */
type Read = readonly [text: string, afterMs: number];

/** A virtual clock; long after the last read, every key that counts has counted. */
function read(reads: readonly Read[], snapshot: RunSnapshot = everything, from: Typing = NOTHING_TYPED) {
  let typing = from;
  let nowMs = 10_000;
  const effects: Effect[] = [];
  const follow = (next: ReturnType<typeof type>) => {
    typing = next.typing;
    if (next.effect !== null) effects.push(next.effect);
  };
  for (const [text, afterMs] of reads) {
    nowMs += afterMs;
    follow(settle(typing, nowMs));
    follow(type(typing, text, nowMs, snapshot));
  }
  const hint = hintOf(typing, nowMs);
  follow(settle(typing, nowMs + 2_000));
  return { typing, effects, hint, mode: typing.mode.name, sent: effects.filter(({ kind }) => kind === 'send') };
}

const typed = (text: string, everyMs: number): Read[] => Array.from(text, (each) => [each, everyMs] as const);
/** A key after some thought. */
const key = (text: string): Read => [text, 1_500];

/** Typed once the question is there. */
const reason = (text: string): Read[] => [key(text.slice(0, 1)), ...typed(text.slice(1), 150)];

const LINES = [
  'runbook targets shop/checkout/prod-1\r',
  'npx servicestage-runbooks targets shop\r',
  'clear; runbook resume night-1 --reason yes\r',
];

describe('a shell command in the view', () => {
  const ways: [string, (line: string) => Read[]][] = [
    ['typed at 0.15 s a key', (line) => typed(line, 150)],
    ['typed at 0.28 s a key', (line) => typed(line, 280)],
    ['in one read', (line) => [key(line)]],
    ['in one read without Enter, then Enter', (line) => [key(line.slice(0, -1)), key('\r')]],
    ['in two reads', (line) => [key(line.slice(0, 5)), [line.slice(5), 0]]],
    ['pasted between marks', (line) => [key(`\u001b[200~${line}\u001b[201~`)]],
    ['pasted, one read a character', (line) => [key('\u001b[200~'), ...typed(line, 900), ['\u001b[201~', 0]]],
    ['pasted, its end in two reads', (line) => [key(`\u001b[200~${line}\u001b[20`), ['1~', 900]]],
  ];
  const starts = Array.from('anrtsmpx', (first) => `${first}ytsx y\ry\r`);

  it.each(ways)('%s commands nothing and asks nothing', (_way, reads) => {
    for (const snapshot of [everything, paused, aRunOf([])])
      for (const line of [...LINES, ...starts]) {
        const { effects, mode, hint } = read(reads(line), snapshot);
        expect({ line, effects, mode }).toEqual({ line, effects: [], mode: 'watching' });
        expect(hint).toBe('keys only; q leaves');
      }
    const all = LINES.flatMap((line) => reads(line));
    expect(read(all).effects).toEqual([]);
  });

  it('typed slowly, is at most a reason, and Enter does not send it', () => {
    for (const line of LINES) expect(read(typed(line, 1_100))).toMatchObject({ effects: [], mode: 'confirming' });
  });
});

describe('a key that is meant', () => {
  const order = { command: 'retryStep', target: 'a/b/c', step: 'restart' };

  it('asks for the reason soon after it, and y sends', () => {
    expect(read([key('t')]).typing.mode).toMatchObject({ name: 'asking', order });
    const asked = [key('t'), ...reason('no job'), key('\r')];
    expect(read(asked)).toMatchObject({ mode: 'confirming', effects: [] });
    expect(read([...asked, key('y')]).effects).toMatchObject([{ kind: 'send', order, reason: 'no job' }]);
  });

  it.each(Array.from('anrtsmx', (each) => [each]))('(%s) sends nothing without y', (each) => {
    const asked = [key(each), ...reason('why'), key('\r')];
    const snapshot = each === 'r' ? paused : everything;
    expect(read([...asked, key('\r')], snapshot)).toMatchObject({ mode: 'confirming', effects: [] });
    expect(read([...asked, key('n')], snapshot)).toMatchObject({ mode: 'watching', effects: [] });
    expect(read([...asked, key('y')], snapshot).sent).toHaveLength(1);
  });

  it('is y only by itself', () => {
    const asked = [key('t'), ...reason('why'), key('\r')];
    expect(read([...asked, ...typed('yarn test\r', 150)]).effects).toEqual([]);
    expect(read([...asked, ['y', 100]])).toMatchObject({
      effects: [],
      mode: 'confirming',
      hint: expect.stringContaining('by itself'),
    });
    expect(read([...asked, ['y', 100], ['y', 600]]).sent).toHaveLength(1);
    expect(read([...asked, key('yes\r')]).effects).toEqual([]);
  });

  it('counts only 0.5 s after another one, and if none follows within 0.3 s', () => {
    expect(read([key('\u001b[A'), ['t', 499]]).mode).toBe('watching');
    expect(read([key('\u001b[A'), ['t', 500]]).mode).toBe('asking');
    expect(read([key('t'), ['\r', 299]]).mode).toBe('watching');
    expect(read([key('t'), ['w', 300]]).typing.mode).toMatchObject({ name: 'asking', reason: 'w' });
  });

  it('counts a second after a letter that is none', () => {
    expect(read([key('z'), ['t', 999]]).mode).toBe('watching');
    expect(read([key('z'), ['t', 999], ['t', 999]]).mode).toBe('watching');
    expect(read([key('z'), ['t', 1_000]]).mode).toBe('asking');
  });

  it('means what was seen when it was pressed', () => {
    const { typing } = type(NOTHING_TYPED, 't', 0, everything);
    expect(settle(typing, 299).typing.mode.name).toBe('watching');
    expect(settle(typing, 300).typing.mode).toMatchObject({ order });
  });
});

describe('a reason', () => {
  it('takes several characters of an input method', () => {
    expect(read([key('p'), key('数据库'), key('\r')]).sent).toMatchObject([{ reason: '数据库' }]);
    expect(read([key('p'), ...reason('ab'), key('cd\u007f'), key('\r')]).sent).toMatchObject([{ reason: 'abc' }]);
  });

  it.each([
    ['between marks', [key('\u001b[200~see\r\nTICKET-1\r\u001b[201~')]],
    ['without marks', [key('see\r\nTICKET-1\r')]],
    ['in several reads', [key('\u001b[200~se'), ['e\r\nTIC', 0], ['KET-1\r\u001b[20', 0], ['1~', 0]]],
    ['a character a read', [key('\u001b[200~'), ...typed('see\r\nTICKET-1\r', 1), ['\u001b[201~', 0]]],
    ['with Esc', [key('\u001b[200~see\nTICKET\u001b-1\n\u001b\u001b[201~')]],
    ['with colours and a bell', [key('\u001b[200~see\n\u001b[31mTICKET\u001b[0m\u0007-1\n\u001b[201~')]],
  ] as [string, Read[]][])('takes what is pasted %s as text, and Enter in it sends nothing', (_how, pasted) => {
    for (const letter of ['p', 't']) {
      const asked = read([key(letter), ...pasted]);
      expect(asked).toMatchObject({ mode: 'asking', effects: [], hint: null });
      expect(asked.typing.mode).toMatchObject({ reason: expect.stringMatching(/^see +TICKET-1 $/) });
    }
    expect(read([key('p'), ...pasted, key('\r')]).sent).toMatchObject([{ reason: expect.stringMatching(/TICKET-1$/) }]);
  });

  it('takes as much of a long paste as a reason may have, and shows that', () => {
    const { typing, hint } = read([key('p'), ...reason('ab'), key(`\u001b[200~${'x'.repeat(1e6)}\u001b[201~`)]);
    expect(typing.mode).toMatchObject({ name: 'asking', reason: `ab${'x'.repeat(LONGEST_ARGUMENT.reason - 2)}` });
    expect(hint).toBe(`a reason has at most ${LONGEST_ARGUMENT.reason} characters`);
  });

  it('shows that a paste was too long also if its last read has only the rest of the mark', () => {
    const long: Read[] = [key('\u001b[200~'), [`${'x'.repeat(2_000)}\u001b[201`, 0], ['~', 0]];
    expect(read([key('p'), ...long]).hint).toBe(`a reason has at most ${LONGEST_ARGUMENT.reason} characters`);
  });

  it('that is confirmed by y takes no paste for it', () => {
    const asked = [key('t'), ...reason('why'), key('\r')];
    expect(read([...asked, key('\u001b[200~y\u001b[201~')])).toMatchObject({ mode: 'confirming', effects: [] });
  });

  it('is given up by Esc', () => {
    expect(read([key('t'), key('w'), key('\u001b')])).toMatchObject({ mode: 'watching', effects: [] });
  });
});

describe('leaving', () => {
  it('is possible by Ctrl-C at any time, also amid a paste', () => {
    for (const reads of [
      [key('\u0003')],
      [key('zz'), ['\u0003', 0]],
      [key('\u001b[200~rm'), ['a\u0003', 0]],
    ] as Read[][])
      expect(read(reads).effects).toEqual([{ kind: 'leave' }]);
  });

  it('is possible by q at once, and after other letters by pressing it again', () => {
    expect(type(NOTHING_TYPED, 'q', 0, null).effect).toEqual({ kind: 'leave' });
    expect(read([key('z'), ...typed('qqqq', 300)]).effects).toEqual([{ kind: 'leave' }]);
    expect(read([key('z'), ...typed('qqq', 300)]).effects).toEqual([]);
  });
});
