/** The live view on a terminal of the test: what the screen shows, which keys it takes, and how it leaves the terminal. */
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createColors } from '../../../src/cli/colors.js';
import { LiveView, type Input } from '../../../src/cli/live/live-view.js';
import type { Order } from '../../../src/cli/live/orders.js';
import { sendOrder } from '../../../src/cli/live/send-order.js';
import type { CommandAnswer } from '../../../src/domain/steering/commands.js';
import { aRun, aRunOf, aShownStep, aShownTarget, Screen } from '../../support/live.js';

/** Keys of a person, and whether they are read one by one. */
class Keyboard extends PassThrough {
  isRaw = false;
  setRawMode(isRaw: boolean): this {
    this.isRaw = isRaw;
    return this;
  }
  unref(): this {
    return this;
  }
}

const ended: (() => unknown)[] = [];
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  ended.splice(0).forEach((end) => end());
  vi.useRealTimers();
});

function view({ columns = 80, rows = 24, hasKeys = true } = {}) {
  const screen = new Screen(columns, rows);
  const keyboard = new Keyboard();
  const orders: [Order, string][] = [];
  const leave = vi.fn<() => void>();
  const suspend = vi.fn<() => void>();
  const answers = new EventEmitter();
  const live = new LiveView({
    output: screen,
    input: hasKeys ? (keyboard as unknown as Input) : null,
    ...{ colors: createColors(false), actor: 'bob', leave, suspend },
    send: (order, reason) => {
      orders.push([order, reason]);
      return new Promise<CommandAnswer>((resolve, reject) => {
        answers.once('accept', () => resolve({ command: order.command, state: 'pausing', atMs: 0, repeated: false }));
        answers.once('refuse', (why: string) => reject(new Error(why)));
      });
    },
  });
  ended.push(() => live.end());
  live.update(
    aRunOf([aShownStep({ state: 'running', startedAtMs: Date.now() })], { run: { startedAtMs: Date.now() } }),
  );
  const settled = () => vi.advanceTimersByTimeAsync(5);
  /** What is read at once, and then nothing for a while. */
  const read = async (text: string) => {
    keyboard.write(text);
    await vi.advanceTimersByTimeAsync(1_200);
  };
  /** Each key by itself. */
  const type = async (text: string) => {
    for (const key of text) await read(key);
  };
  const answer = async (event: 'accept' | 'refuse', why?: string) => {
    answers.emit(event, why);
    await settled();
  };
  return { screen, keyboard, live, orders, leave, suspend, read, type, answer };
}

const KEYS = 'p pause   x abort   q leave';

describe('the screen', () => {
  it('is drawn in place, with the keys below', async () => {
    const { screen, live, type } = view();
    expect(screen.lines).toEqual(
      ['recover night-1  running, 0ms', '', 'shop/cart/prod-1  running', '  ● restart running 0ms', '', KEYS].map(
        (line) => expect.stringMatching(line.replace(/0ms/, String.raw`\d+m?s`)),
      ),
    );
    live.note(['No worker has taken it']);
    expect(screen.lines.slice(-3)).toEqual(['No worker has taken it', '', KEYS]);
    live.note([]);
    await type('p');
    expect(screen.lines.slice(-3)).toEqual([
      'as bob; no further step begins; what is in flight is finished',
      'Why? _',
      'Enter sends it, Esc goes back',
    ]);
  });

  it('is drawn again at another size, and nothing is left of the old one', () => {
    const { screen } = view();
    screen.resize(30, 10);
    expect(screen.lines.length).toBeLessThan(10);
    expect(screen.lines.filter((line) => line.startsWith('recover night-1'))).toHaveLength(1);
    screen.resize(80, 24);
    expect(screen.lines.filter((line) => line.startsWith('recover night-1'))).toHaveLength(1);
    expect(screen.lines.at(-1)).toBe(KEYS);
  });

  it('is of the usual size on a terminal that reports none', () => {
    const { screen } = view();
    screen.resize(0, 0);
    expect(screen.lines.at(-1)).toBe(KEYS);
  });

  it('has no rest of a frame that was longer', () => {
    const { screen, live } = view();
    live.note(['one', 'two', 'three']);
    live.note([]);
    const { lines } = screen;
    expect(lines.filter((line) => line === KEYS)).toHaveLength(1);
    expect(lines.at(-1)).toBe(KEYS);
  });

  it('keeps the run and loses the keys when the view ends', () => {
    const { screen, live, keyboard } = view();
    expect(keyboard.isRaw).toBe(true);
    expect(live.end()).toBe(false);
    expect(keyboard.isRaw).toBe(false);
    expect(screen.lines.join('\n')).toMatch(/● restart running \d+m?s$/);
  });

  it('has the terminal mark pastes until the view ends or is suspended', async () => {
    const { screen, live, read } = view();
    const written = vi.spyOn(screen, 'write');
    const texts = () => written.mock.calls.map(([text]) => text).join('');
    await read('\u001a');
    expect(texts()).toContain('\u001b[?2004l');
    written.mockClear();
    process.emit('SIGCONT');
    expect(texts()).toContain('\u001b[?2004h');
    written.mockClear();
    live.end();
    expect(texts()).toContain('\u001b[?2004l');
  });

  it('drops the note about a retry when its step blocks', () => {
    const { screen, live } = view();
    const target = aShownTarget('shop/cart/prod-1');
    live.update(aRun([target]));
    live.note(['Restart of prod-1 is tried again at 2026-12-01T04:00:00Z (attempt 2): 503', 'No worker has taken it']);
    expect(screen.lines.join('\n')).toContain('tried again');
    live.update(
      aRun([{ ...target, blocked: { step: 'restart', why: 'Indeterminate', untilMs: 1, result: 'indeterminate' } }]),
    );
    expect(screen.lines.join('\n')).not.toContain('tried again');
    expect(screen.lines.join('\n')).toContain('No worker has taken it');
  });

  it('has no keys where none are read', () => {
    expect(view({ hasKeys: false }).screen.lines.join('\n')).not.toContain('leave');
  });
});

describe('a key', () => {
  it('sends the command with the reason, and shows the answer', async () => {
    const { screen, orders, type, answer } = view();
    await type('pslow\r');
    expect(orders).toEqual([[{ command: 'pause', about: '' }, 'slow']]);
    expect(screen.lines.at(-2)).toBe('pause: waits for the answer of a worker …');
    await answer('accept');
    expect(screen.lines.slice(-2)).toEqual(['Accepted: the run pauses as soon as nothing is in flight', KEYS]);
  });

  it('shows a refusal, with what is possible now', async () => {
    const { screen, type, answer } = view();
    await type('pslow\r');
    await answer('refuse', 'pause is refused: the run is paused already. Possible now: resume, abort');
    expect(screen.lines.at(-2)).toBe('pause is refused: the run is paused already. Possible now: resume, abort');
  });

  it('that is pasted, or typed at once with others, does not count', async () => {
    const { screen, orders, leave, read } = view();
    for (const text of ['pslow\r', 'npx q\r', '\u001b[200~p\u001b[201~']) {
      await read(text);
      expect(screen.lines.slice(-2)).toEqual(['keys only; q leaves', KEYS]);
    }
    expect(orders).toEqual([]);
    expect(leave).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(6_000);
    expect(screen.lines.join('\n')).not.toContain('keys only');
  });

  it('leaves as Ctrl-C does, and reports a command that is not answered', async () => {
    const { live, leave, type } = view();
    await type('\u0003');
    await type('pslow\r');
    await type('q');
    expect(leave).toHaveBeenCalledTimes(2);
    expect(live.end()).toBe(true);
  });

  it('Ctrl-Z gives the terminal back until the process is continued', async () => {
    const { keyboard, suspend, type, screen } = view();
    await type('\u001a');
    expect(suspend).toHaveBeenCalledOnce();
    expect(keyboard.isRaw).toBe(false);
    process.emit('SIGCONT');
    expect(keyboard.isRaw).toBe(true);
    expect(screen.lines.at(-1)).toBe(KEYS);
  });
});

describe('an order', () => {
  it('is sent by the same calls as the commands', async () => {
    const answer: CommandAnswer = { command: 'pause', state: 'x', atMs: 0, repeated: false };
    const call = () => vi.fn(async (_id: string, _request: object) => answer);
    const runbooks = { pause: call(), resume: call(), abort: call(), approve: call(), reject: call() };
    const target = { retryStep: call(), skipStep: call(), markSucceeded: call() };
    const by = { actor: 'bob', reason: 'slow' };
    const about = { about: '', target: 'a/b/c', step: 's' };
    const all = { ...runbooks, ...target };
    for (const command of Object.keys(all) as (keyof typeof all)[])
      await sendOrder(all, 'night-1', { command, ...about, planHash: 'h' }, by);
    for (const command of ['pause', 'resume', 'abort'] as const)
      expect(all[command]).toHaveBeenCalledExactlyOnceWith('night-1', by);
    for (const command of ['approve', 'reject'] as const)
      expect(all[command]).toHaveBeenCalledExactlyOnceWith('night-1', {
        ...by,
        target: 'a/b/c',
        step: 's',
        planHash: 'h',
      });
    for (const command of ['retryStep', 'skipStep', 'markSucceeded'] as const)
      expect(all[command]).toHaveBeenCalledExactlyOnceWith('night-1', { ...by, target: 'a/b/c', step: 's' });
  });
});
