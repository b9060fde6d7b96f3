/** Checks in runbook files: what is refused where, and how the others are planned. */
import { describe, expect, it } from 'vitest';
import { planSteps } from '../../../src/domain/plan/plan-steps.js';
import type { Runbook } from '../../../src/domain/runbook/runbook.js';
import { DEFAULT_VERIFY } from '../../../src/domain/runbook/runbook-checks.js';
import { ACTIONS, ACTION_NAMES, type ActionName } from '../../../src/domain/target/actions.js';
import { parseRunbook } from '../../../src/runbooks/catalogue.js';
import { anObservation, aTarget } from '../../support/build.js';

const HEAD = 'name: x\ntitle: t\n';
const withStep = (step: string, head = '') => `${HEAD}${head}steps:\n  - ${step}\n`;

function problemsOf(text: string) {
  const parsed = parseRunbook(text, 'x.yaml');
  return Array.isArray(parsed) ? parsed : [];
}

function runbookOf(text: string): Runbook {
  const parsed = parseRunbook(text, 'x.yaml');
  if (Array.isArray(parsed)) throw new Error(parsed.map(({ place, found }) => `${place}: ${found}`).join('\n'));
  return parsed;
}

const URL = 'http: https://shop.example.com/health';

describe('a check in a runbook file', () => {
  it.each([
    ['no URL', 'check: { status: 200 }', 'missing', 'Add http: "https://shop.example.com/health"'],
    ['a host alone', 'check: { http: shop.example.com }', 'invalid-value', 'Write a URL such as'],
    ['a URL in its place', 'check: https://shop.example.com', 'invalid-value', 'Write keys and values, as in check:'],
    ['another scheme', 'check: { http: "file:///etc/passwd" }', 'invalid-value', 'Write a URL such as'],
    ['a status that is none', `check: { ${URL}, status: 20 }`, 'invalid-value', '100'],
    ['a list of headers', `check: { ${URL}, header: [a] }`, 'invalid-value', 'Write a line for each header'],
    ['a header that is a number', `check: { ${URL}, header: { x-version: 1.4 } }`, 'invalid-value', 'as text'],
    [
      'a name that no header can have',
      `check: { ${URL}, header: { "x version": a } }`,
      'invalid-check',
      'such as x-version',
    ],
    ['a header twice', `check: { ${URL}, header: { x-a: a, X-A: b } }`, 'invalid-check', 'Name it once'],
    ['a path with a wildcard', `check: { ${URL}, json: { "a[*].b": 1 } }`, 'invalid-check', 'data.items[0].state'],
    ['a path of a language', `check: { ${URL}, json: { "$.a": 1 } }`, 'invalid-check', 'data.items[0].state'],
    ['an object that is wanted', `check: { ${URL}, json: { a: { b: 1 } } }`, 'invalid-value', 'Write text, a number'],
    ['the name of a prototype', `check: { ${URL}, json: { __proto__: 1 } }`, 'invalid-name', 'Use letters'],
    ['too many headers', `check: { ${URL}, header: { ${names(11)} } }`, 'invalid-check', 'Name at most 10'],
    ['empty text', `check: { ${URL}, text: "" }`, 'invalid-value', 'Write some text'],
    ['a time without a unit', `check: { ${URL}, within: 2 }`, 'invalid-value', '90s'],
    ['a request without end', `check: { ${URL}, timeout: 10m }`, 'invalid-value', 'Write at most 60s'],
    ['a redirect', `check: { ${URL}, followRedirects: true }`, 'unknown-key', 'possible keys: http, status'],
    ['a method', `check: { ${URL}, method: POST }`, 'unknown-key', 'possible keys: http, status'],
    ['a mistyped key', `check: { ${URL}, headers: { a: b } }`, 'unknown-key', 'Did you mean header?'],
    ['onFailure with before', `{ check: { ${URL} }, before: true, onFailure: abort }`, 'before-stops', 'Take it out'],
    ['a pause', `{ check: { ${URL} }, onFailure: stop }`, 'invalid-value', 'compensate, abort, continue'],
    ['an action beside it', `{ check: { ${URL} }, action: stop }`, 'unknown-key', 'Write two steps'],
    ['an unknown name', 'check: { http: "${{ inputs.url }}" }', 'unknown-name', 'Use one of'],
    ['a broken expression', 'check: { http: "https://${{ target.path" }', 'unknown-name', 'Write it as in'],
  ])('with %s is one problem with a place and a remedy', (_name, step, code, remedy) => {
    const problems = problemsOf(withStep(step));
    expect(problems.map((problem) => problem.code)).toEqual([code]);
    expect(problems[0]?.place).toMatch(/^x\.yaml:4:\d+ steps\.0/);
    expect(problems[0]?.remedy).toContain(remedy);
  });

  it('takes a URL of text, not of a number', () => {
    const inputs = 'inputs: { port: { type: integer } }\n';
    expect(problemsOf(withStep('check: { http: "${{ inputs.port }}" }', inputs))[0]?.code).toBe('invalid-input-type');
    expect(problemsOf(withStep('check: { http: "http://a.example:${{ inputs.port }}/" }', inputs))).toEqual([]);
  });

  it('uses inputs in what it wants', () => {
    const inputs = 'inputs: { version: { type: string }, count: { type: integer } }\n';
    const want = 'header: { x-version: "${{ inputs.version }}" }, json: { n: "${{ inputs.count }}" }';
    expect(problemsOf(withStep(`check: { ${URL}, ${want} }`, inputs))).toEqual([]);
  });

  it('counts for the deadline of the run', () => {
    const step = `check: { ${URL}, within: 5m, stable: 1m }`;
    expect(problemsOf(withStep(step, 'deadline: 6m\n')).map(({ code }) => code)).toEqual(['deadline-too-short']);
    expect(problemsOf(withStep(step, 'deadline: 7m\n'))).toEqual([]);
  });

  it('is named check, numbered when repeated', () => {
    const runbook = runbookOf(`${withStep(`check: { ${URL} }`)}  - check: { ${URL} }\n`);
    expect(plan(runbook).steps.map(({ id }) => id)).toEqual(['check', 'check-2']);
  });
});

function names(count: number): string {
  return Array.from({ length: count }, (_, at) => `x-${at}: a`).join(', ');
}

const usualDurationsMs = Object.fromEntries(
  ACTION_NAMES.map((name) => [name, ACTIONS[name].usualDurationMs]),
) as Record<ActionName, number>;

function plan(
  runbook: Runbook,
  inputs: Record<string, unknown> = {},
  asked: string[] = [],
  version: string | null = '1.4.1',
) {
  const facts = { target: aTarget(), seen: anObservation({ version }), snapshotVersions: [] };
  const refusalOfUrl = (url: string) => {
    asked.push(url);
    return url.includes('evil') ? { found: `checks may not ask ${url}`, remedy: 'Set RUNBOOK_CHECK_HOSTS' } : null;
  };
  return planSteps(runbook, facts, { inputs, usualDurationsMs, verify: DEFAULT_VERIFY, refusalOfUrl });
}

describe('a check whose URL is an input', () => {
  const optional = (http: string) =>
    runbookOf(
      `name: x\ntitle: t\ninputs: { url: { type: string, default: '' } }\nsteps:\n  - action: stop\n  - check: { http: "${http}", header: { x-v: "\${{ target.version }}" } }\n    id: healthy\n`,
    );

  it('is left out of the plan if the input is empty, and its action holds all the same', () => {
    const asked: string[] = [];
    const { steps, leftOut, problems } = plan(optional('${{ inputs.url }}'), { url: '' }, asked, null);
    expect(problems).toEqual([]);
    expect(leftOut).toEqual(['healthy']);
    expect(steps.map(({ id }) => id)).toEqual(['stop']);
    expect(steps[0]).not.toHaveProperty('holds');
    expect(asked).toEqual([]);
  });

  it('is done if the input is given, and judged as any other', () => {
    const given = plan(optional('${{ inputs.url }}'), { url: 'https://shop.example.com' });
    expect(given.leftOut).toEqual([]);
    expect(given.steps.map(({ id }) => id)).toEqual(['stop', 'healthy']);
    expect(plan(optional('${{ inputs.url }}'), { url: 'https://evil.example.com' }).problems).toHaveLength(1);
  });

  it.each(['{ type: string }', "{ type: string, default: 'https://shop.example.com' }"])(
    'is required, and an empty URL is judged as any other, if the runbook does not offer to leave it out: %s',
    (input) => {
      const required = runbookOf(
        `name: x\ntitle: t\ninputs: { url: ${input} }\nsteps:\n  - action: stop\n  - check: { http: "\${{ inputs.url }}" }\n    before: true\n    id: healthy\n`,
      );
      const asked: string[] = [];
      const { leftOut, steps } = plan(required, { url: '' }, asked);
      expect(leftOut).toEqual([]);
      expect(steps.map(({ id }) => id)).toEqual(['healthy', 'stop']);
      expect(asked).toEqual(['']);
    },
  );

  it('is not left out if an empty input is only a part of it', () => {
    const { steps, leftOut } = plan(optional('https://shop.example.com/${{ inputs.url }}'), { url: '' });
    expect(leftOut).toEqual([]);
    expect(steps.map(({ id }) => id)).toEqual(['stop', 'healthy']);
  });
});

describe('a planned check', () => {
  it('has literal values and its defaults', () => {
    const want =
      'header: { X-Version: "${{ target.version }}" }, json: { n: "${{ inputs.count }}", up: true, err: null }';
    const inputs = 'inputs: { count: { type: integer }, path: { type: string } }\n';
    const runbook = runbookOf(
      withStep(`check: { http: "https://shop.example.com/\${{ inputs.path }}", ${want} }`, inputs),
    );
    const { steps, problems } = plan(runbook, { count: 3, path: 'health' });
    expect(problems).toEqual([]);
    expect(steps).toEqual([
      {
        kind: 'check',
        id: 'check',
        before: false,
        onFailure: 'compensate',
        check: {
          url: 'https://shop.example.com/health',
          status: 200,
          header: { 'x-version': '1.4.1' },
          json: [
            { path: 'n', equals: 3 },
            { path: 'up', equals: true },
            { path: 'err', equals: null },
          ],
          text: null,
          withinMs: 120_000,
          stableMs: 10_000,
          timeoutMs: 5_000,
        },
      },
    ]);
  });

  it('is refused for the host that an input brings, before anything is asked', () => {
    const inputs = 'inputs: { url: { type: string } }\n';
    const runbook = runbookOf(withStep('check: { http: "${{ inputs.url }}" }', inputs));
    const asked: string[] = [];
    const { problems } = plan(runbook, { url: 'https://evil.example/' }, asked);
    expect(asked).toEqual(['https://evil.example/']);
    expect(problems[0]).toMatchObject({ code: 'invalid-step', remedy: 'Set RUNBOOK_CHECK_HOSTS' });
    expect(problems[0]?.place).toContain('step check');
  });

  it('is not judged by an input that is missing, which has a problem of its own', () => {
    const inputs = 'inputs: { url: { type: string } }\n';
    const runbook = runbookOf(withStep('check: { http: "${{ inputs.url }}", text: "${{ inputs.url }}" }', inputs));
    expect(plan(runbook).problems).toEqual([]);
  });

  it('wants nothing that is not known of the target', () => {
    const runbook = runbookOf(withStep(`check: { ${URL}, json: { version: "\${{ target.version }}" } }`));
    expect(plan(runbook, {}, [], null).problems[0]?.found).toContain('is not known of the target');
  });

  it('has bounded values, whatever an input brings', () => {
    const inputs = 'inputs: { text: { type: string } }\n';
    const runbook = runbookOf(withStep(`check: { ${URL}, text: "\${{ inputs.text }}" }`, inputs));
    expect(plan(runbook, { text: 'x'.repeat(201) }).problems[0]?.remedy).toContain('at most 200 characters');
  });

  it('with `before` comes before all other steps, in the order of the file', () => {
    const text = `${withStep('action: stop')}  - { check: { ${URL} }, before: true, id: one }\n  - wait: 1m\n  - { check: { ${URL} }, id: last }\n  - { check: { ${URL} }, before: true, id: two }\n`;
    const { steps } = plan(runbookOf(text));
    expect(steps.map(({ id }) => id)).toEqual(['one', 'two', 'stop', 'wait', 'last']);
    expect(steps.filter((step) => step.kind === 'check').map(({ onFailure }) => onFailure)).toEqual([
      'abort',
      'abort',
      'compensate',
    ]);
  });
});
