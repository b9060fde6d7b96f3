/** The lines of the log: as JSON for machines, and as text for a person at a terminal. */
import { describe, expect, it } from 'vitest';
import { hasControlCharacters } from '../../../src/domain/text/text.js';
import { logTo } from '../../../src/logging/log.js';

function logged(format: 'json' | 'text', fields: object, message: string, level = 'info'): string {
  const lines: string[] = [];
  logTo({ write: (line) => lines.push(line) }, { level, format }).warn(fields, message);
  return lines.join('');
}

describe('as JSON', () => {
  it('a line has the level by name, the time in ISO 8601, and the message', () => {
    const line = logged('json', { runId: 'r-1' }, 'run ended');
    const { time, ...rest } = JSON.parse(line) as { time: string };
    expect(rest).toEqual({ level: 'warn', service: 'servicestage-runbooks', runId: 'r-1', msg: 'run ended' });
    expect(new Date(time).toISOString()).toBe(time);
    expect(line.endsWith('}\n')).toBe(true);
  });

  it('control characters are escaped', () => {
    const line = logged('json', { reason: 'a\u202e\u009bb' }, 'run ended');
    expect(line).toContain('a\\u202e\\u009bb');
  });
});

describe('as text', () => {
  it('a line has time, level, message and fields', () => {
    const fields = { runId: 'r-1', attempt: 2, reason: 'it was "no"', sizes: { cached: 5 }, none: null };
    expect(logged('text', fields, 'run ended')).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:.]+Z WARN {2}run ended {2}runId=r-1 {2}attempt=2 {2}reason="it was \\"no\\"" {2}sizes=\{"cached":5\} {2}none=null\n$/,
    );
  });

  it('text from outside stays on its line and cannot act on a terminal', () => {
    const line = logged('text', { reason: 'a\nb\u001b[2J', other: 'c\u202ed' }, 'run\nended');
    expect(line.split('\n')).toHaveLength(2);
    expect(hasControlCharacters(line.trimEnd())).toBe(false);
  });
});

it('writes nothing below its level', () => {
  expect(logged('json', {}, 'run ended', 'error')).toBe('');
});
