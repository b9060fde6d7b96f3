/** The thread that reads calendars: what ends it, what it costs others, and that it does not keep the process alive. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CalendarReader } from '../../../src/calendars/calendar-reader.js';

/** Ample time for readers whose limit is not under test, because a busy machine starts threads slowly. */
const LONG_MS = 60_000;

const [fromMs, toMs] = [Date.parse('2026-01-01T00:00:00Z'), Date.parse('2027-01-01T00:00:00Z')];
const calendar = (...lines: string[]) => ['BEGIN:VCALENDAR', ...lines, 'END:VCALENDAR'].join('\n');
const event = (...lines: string[]) => ['BEGIN:VEVENT', 'SUMMARY:f', ...lines, 'END:VEVENT'];
const asked = (text: string, file = 'c.ics') => ({ file, text, calendar: 'c', fromMs, toMs });
const DAY = calendar(...event('DTSTART;TZID=UTC:20260601'));
/** A thread that runs the given code. */
const thread = (code: string) =>
  new URL(`data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads'; ${code}`)}`);

describe('the reader of calendars', () => {
  it('reads iCalendar files and lists concurrently, and answers each request with its own result', async () => {
    const reader = new CalendarReader(LONG_MS);
    const list = 'timezone: UTC\nfreezes:\n  - { name: g, from: 2026-06-01, to: 2026-06-01 }';
    const found = await Promise.all(
      [asked(DAY), asked(list, 'c.yaml'), asked('x'), asked(DAY)].map((each) => reader.read(each)),
    );
    expect(found.map(({ freezes }) => freezes.map(({ name }) => name))).toEqual([['f'], ['g'], [], ['f']]);
    expect(found.map(({ problems }) => problems.map(({ place, code }) => `${place} ${code}`))).toEqual([
      [],
      [],
      ['c.ics:1 ics-syntax'],
      [],
    ]);
  });

  it('leaves the event loop free while it reads a slow file', async () => {
    const rule = 'RRULE:FREQ=DAILY;COUNT=3000';
    const text = calendar(
      ...Array.from({ length: 30 }, () => event('DTSTART:20200101T100000Z', 'DURATION:PT1H', rule)).flat(),
    );
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const { problems } = await new CalendarReader(LONG_MS).read(asked(text));
    clearInterval(timer);
    expect(problems.filter(({ code }) => code !== 'too-many-occurrences')).toEqual([]);
    expect(turns).toBeGreaterThan(3);
  });

  it('ends a thread that hangs, reports a problem, and reads the next file with a new thread', async () => {
    const endless = `parentPort.on('message', ({ text }) => { while (text === 'endless'); parentPort.postMessage({ freezes: [], problems: [] }); });`;
    const reader = new CalendarReader(400, thread(endless));
    const [first, waiting] = await Promise.all([reader.read(asked('endless')), reader.read(asked('other'))]);
    expect(first).toMatchObject({ freezes: [], problems: [{ place: 'c.ics', code: 'not-read' }] });
    expect(first.problems[0]?.found).toContain('0.4 s');
    expect(waiting.problems.every(({ code }) => code === 'not-read')).toBe(true);
    // A new thread may need longer than the limit to start.
    await expect.poll(() => reader.read(asked('other')), { timeout: 50_000 }).toEqual({ freezes: [], problems: [] });
  });

  it.each([
    ['throws', `parentPort.on('message', () => { throw new Error('lost'); });`, 'lost'],
    ['exits', `parentPort.on('message', () => process.exit(3));`, 'ended the reader'],
    ['does not start', `throw new Error('not here');`, 'not here'],
    [
      'runs out of memory',
      `parentPort.on('message', () => { const all = []; for (;;) all.push(new Array(1e5).fill({})); });`,
      'memory',
    ],
  ])('reports a problem if its thread %s', async (_what, code, wanted) => {
    const { freezes, problems } = await new CalendarReader(LONG_MS, thread(code), 16).read(asked(DAY));
    expect(freezes).toEqual([]);
    expect(problems.map(({ code: each, found }) => [each, found.includes(wanted)])).toEqual([['not-read', true]]);
  });

  it('evaluates the same file once for all requests within an hour, and again when it has changed', async () => {
    const counting = `let n = 0; parentPort.on('message', () => parentPort.postMessage({ freezes: [], problems: [{ code: String(++n) }] }));`;
    const reader = new CalendarReader(LONG_MS, thread(counting));
    const codes = async (text: string, laterMs = 0) => {
      const request = { ...asked(text), fromMs: fromMs + laterMs, toMs: toMs + laterMs };
      return (await reader.read(request)).problems.map(({ code }) => code).join();
    };
    const many = await Promise.all(Array.from({ length: 500 }, (_item, index) => codes('one', index * 1_000)));
    expect(new Set(many)).toEqual(new Set(['1']));
    expect([await codes('two'), await codes('two', 1_000), await codes('two', 3_600_000)]).toEqual(['2', '2', '3']);
  });

  it('returns only freezes within the requested time, although it evaluates whole hours', async () => {
    const request = asked(calendar(...event('DTSTART:20260601T100000Z', 'DURATION:PT10M')));
    const reader = new CalendarReader(LONG_MS);
    const found = (from: string, to: string) =>
      reader.read({ ...request, fromMs: Date.parse(from), toMs: Date.parse(to) });
    expect((await found('2026-06-01T10:09:00Z', '2026-06-01T10:20:00Z')).freezes).toHaveLength(1);
    expect((await found('2026-06-01T10:10:00Z', '2026-06-01T10:20:00Z')).freezes).toHaveLength(0);
    expect((await found('2026-06-01T09:10:00Z', '2026-06-01T10:00:00Z')).freezes).toHaveLength(0);
  });

  it('limits the number of problems and freezes', async () => {
    const reader = new CalendarReader(LONG_MS);
    const wrong = Array.from({ length: 2_000 }, () => event('DTSTART:x')).flat();
    const { problems } = await reader.read(asked(calendar(...wrong)));
    expect(problems).toHaveLength(51);
    expect(problems.at(-1)?.found).toBe('1950 more problems were found');
    const hourly = (minute: number) => event(`DTSTART:20260101T00${minute}00Z`, 'DURATION:PT1S', 'RRULE:FREQ=HOURLY');
    const many = calendar(...hourly(10), ...hourly(30));
    const { freezes, problems: tooMany } = await reader.read(asked(many));
    expect(freezes).toHaveLength(10_000);
    expect(tooMany.map(({ code }) => code)).toEqual(['too-many-occurrences']);
  });

  it('does not keep the process alive while its thread still exists', async () => {
    const module = fileURLToPath(new URL('../../../dist/calendars/calendar-reader.js', import.meta.url));
    const code = `const { calendarReader } = await import(${JSON.stringify(module)});
      const { freezes } = await calendarReader.read(${JSON.stringify(asked(DAY))});
      console.log(freezes.length);`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
      timeout: 60_000,
    });
    expect([stdout, stderr]).toEqual(['1\n', '']);
  });
});
