/** docs/logs.md lists every event that our code logs, with its level, and no other. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const LEVEL = '(trace|debug|info|warn|error|fatal)';
/** `log.warn({ … }, 'message'`, and `log.info('message'` of the SDK. */
const CALL = new RegExp(String.raw`\blog\??\.${LEVEL}\(\s*(?:\{[^;\x60]{0,300}?\},\s*)?'([^']*)'`, 'g');
/** `throttledLog.warn(kind, { … }, 'message'` */
const THROTTLED = new RegExp(
  String.raw`\b(?:throttledLog|warnings)\??\.${LEVEL}\(\s*(?:\x60[^\x60]*\x60|'[^']*'|[\w.]+),\s*\{[^;\x60]{0,300}?\},\s*'([^']*)'`,
  'g',
);
/** The level is chosen by a table. */
const COMPUTED = /\blog\[.*?\]\((?:\{[^}]*\}, )?'([^']+)'/g;
/** Any call. */
const BEGIN = new RegExp(String.raw`\b(?:\w*[lL]og|warnings)\??\.${LEVEL}\(`, 'g');

function eventsIn(code: string): string[] {
  const named = [CALL, THROTTLED].flatMap((pattern) => [...code.matchAll(pattern)]);
  const computed = [...code.matchAll(COMPUTED)].map(([, message = '']) => `info, warn, error ${message}`);
  return [...named.map(([, level = '', message = '']) => `${level} ${message}`), ...computed];
}

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.startsWith('simulator'))
  .map((path) => ({ path, code: readFileSync(`src/${path}`, 'utf8') }));
const logged = sources.flatMap(({ code }) => eventsIn(code));

const page = readFileSync('docs/logs.md', 'utf8');
const [, table = ''] = page.split('## Every event of ours');
const documented = [...table.matchAll(/^\| ((?:`\w+`(?:, )?)+) +\| `([^`]+)`/gm)].map(
  ([, levels = '', message = '']) => `${levels.replaceAll('`', '')} ${message}`,
);

describe('docs/logs.md', () => {
  it('lists every event that our code logs, with its level', () => {
    expect(logged.length).toBeGreaterThan(25);
    expect([...new Set(logged)].filter((event) => !documented.includes(event))).toEqual([]);
  });

  it('lists no other', () => {
    expect(documented.filter((event) => !logged.includes(event))).toEqual([]);
  });

  it('advises only about events that exist', () => {
    const [, advice = ''] = page.split('## Alert on these');
    const ours = new Set(documented.map((event) => event.replace(/^(?:\w+, )*\w+ /, '')));
    const OF_THE_SDK = [
      'Workflow failed',
      'Failing workflow task',
      'Failed to activate workflow',
      'Task polling has encountered errors continuously; the worker will continue retrying',
    ];
    const named = [...(advice.split('## Every')[0] ?? '').matchAll(/^\| ((?:`[^`]+`[^|`]*)+)\|/gm)]
      .flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, event = '']) => event))
      .filter((event) => /[ ]/.test(event));
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((event) => !ours.has(event) && !OF_THE_SDK.includes(event))).toEqual([]);
  });
});

describe('a message', () => {
  it('is always the same text: what differs is in fields, so that an alert can name it', () => {
    const calls = sources.flatMap(({ path, code }) =>
      [...code.matchAll(BEGIN)].map(({ index }) => ({ path, call: code.slice(index, index + 400) })),
    );
    const found = calls.filter(
      ({ call }) => eventsIn(call).length === 0 && !PASSED_ON.some((text) => call.startsWith(text)),
    );
    expect(found.map(({ path, call }) => `${path}: ${call.slice(0, 80)}`)).toEqual([]);
  });
});

/** Calls that pass on the message of another. */
const PASSED_ON = ['log.warn({ ...facts, suppressed'];
