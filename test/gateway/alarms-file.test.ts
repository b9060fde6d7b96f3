/**
 * An alarms file is read completely or not at all: every problem at once, each with its place and remedy, and none with
 * a secret.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findRunbook } from '../../src/runbooks/catalogue.js';
import type { Problem } from '../../src/domain/failures.js';
import { readAlarmsFile } from '../../src/gateway/alarms-file/read-alarms-file.js';
import { secretsBeside } from '../../src/gateway/alarms-file/sender-settings.js';
import { selfSigned, selfSignedRsa } from '../servicestage/self-signed.js';

const TOKEN = 'the-token-itself-0123456789abcdef';
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbooks-alarms-'));
  await writeFile(join(folder, 'token'), `${TOKEN}\n`);
  await writeFile(join(folder, 'short'), 'tiny-secret\n');
  await writeFile(join(folder, 'empty'), '\n');
  execFileSync('mkfifo', [join(folder, 'pipe')]);
});
afterAll(() => rm(folder, { recursive: true }));

async function read(text: string) {
  const file = join(folder, 'alarms.yaml');
  await writeFile(file, text);
  return readAlarmsFile(file, {
    findRunbook: (name) => findRunbook([], name),
    readSecret: secretsBeside(folder),
  });
}

async function problemsIn(text: string): Promise<Problem[]> {
  const found = await read(text);
  if (!Array.isArray(found)) throw new Error('the file has no problems');
  return found;
}

const SENDERS = 'owner: team\nsenders:\n  prod: { kind: alertmanager, tokenFiles: [token] }\n';
const rules = (...lines: readonly string[]) => `${SENDERS}rules:\n${lines.map((line) => `  ${line}\n`).join('')}`;
const rule = (
  name: string,
  more = '',
  when = '{ alertname: Hangs }',
  target = 'shop/checkout/${{ labels.instance }}',
) => `${name}: { when: ${when}, runbook: restart, target: '${target}', within: [shop/*/*]${more} }`;

describe('a valid file', () => {
  it('fills in the brakes, and reads secrets from their files', async () => {
    const alarms = await read(rules(rule('hung')));
    expect(alarms).toMatchObject({
      owner: 'team',
      senders: [{ name: 'prod', settings: { kind: 'alertmanager', tokens: [TOKEN], ignoreLabels: [] } }],
      rules: [
        {
          name: 'hung',
          when: { alertname: ['Hangs'] },
          brakes: { debounceMs: 0, coolDownMs: 600_000, atMost: null, atOnce: 1, onResolved: 'nothing' },
        },
      ],
    });
  });

  it('reads every brake', async () => {
    const alarms = await read(
      rules(
        rule(
          'hung',
          ', debounce: 2m, coolDown: 30m, atMost: { runs: 3, within: 1d }, atOnce: unlimited, onResolved: withdraw',
        ),
      ),
    );
    expect(alarms).toMatchObject({
      rules: [
        {
          brakes: {
            debounceMs: 120_000,
            coolDownMs: 1_800_000,
            atMost: { runs: 3, withinMs: 86_400_000 },
            atOnce: null,
            onResolved: 'withdraw',
          },
        },
      ],
    });
  });
});

describe('an invalid file', () => {
  it.each([
    ['an unknown runbook', rule('hung').replace('restart', 'restrat'), 'unknown-runbook', 'Did you mean restart?'],
    ['an emergency', rule('hung').replace('restart', 'emergency-stop'), 'emergency-runbook', 'let a person decide'],
    ['an unknown input', rule('hung', ', inputs: { count: 3 }'), 'invalid-input', 'restart takes no inputs'],
    ['an unknown key', rule('hung', ', cooldown: 5m'), 'unknown-key', 'Did you mean coolDown?'],
    ['an unknown sender', rule('hung', '', '{ sender: prdo }'), 'unknown-sender', 'Did you mean prod?'],
    ['no condition', rule('hung', '', '{}'), 'matches-everything', 'Name at least one label'],
    ['a label that is a number', rule('hung', '', '{ severity: 5 }'), 'invalid-value', 'quote it'],
    [
      'a target of two parts',
      rule('hung', '', '{ a: b }', 'shop/checkout'),
      'invalid-target',
      'application/component/instance',
    ],
    [
      'a star in the target',
      rule('hung', '', '{ a: b }', 'shop/checkout/*'),
      'invalid-target',
      'application/component/instance',
    ],
    [
      'inputs in the target',
      rule('hung', '', '{ a: b }', 'shop/a/${{ inputs.x }}'),
      'unknown-name',
      '${{ labels.name }}',
    ],
    [
      'an open expression',
      rule('hung', '', '{ a: b }', 'shop/a/${{ labels.x'),
      'broken-expression',
      '${{ labels.name }}',
    ],
    [
      'a target never within',
      rule('hung', '', '{ a: b }', 'bank/a/${{ labels.x }}'),
      'target-not-allowed',
      'so that they match',
    ],
    ['a star in a part', rule('hung').replace('shop/*/*', 'shop/*/prod-*'), 'invalid-value', 'any one whole part'],
    ['a debounce of a month', rule('hung', ', debounce: 30d'), 'invalid-value', 'at most 7d'],
    ['a brake of nothing', rule('hung', ', atMost: { runs: 3, within: 0s }'), 'invalid-value', 'more than 0s'],
    ['none at once', rule('hung', ', atOnce: 0'), 'invalid-value', 'at least 1'],
    ['a name with capitals', rule('Hung'), 'invalid-name', 'lower-case letters'],
    ['a prototype', rule('hung', '', '{ a: b, __proto__: c }'), 'invalid-name', 'another name'],
  ])('with %s is refused with the place and a remedy', async (_what, line, code, remedy) => {
    const problems = await problemsIn(rules(line));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code });
    expect(problems[0]?.remedy).toContain(remedy);
    expect(problems[0]?.place).toMatch(/alarms\.yaml:5:\d+ rules\.[Hh]ung/);
  });

  it('reports a rule that no alarm can reach', async () => {
    const problems = await problemsIn(
      rules(
        rule('wide', '', '{ alertname: [A, B] }'),
        rule('narrow', '', '{ alertname: A, severity: page }'),
        rule('other', '', '{ alertname: C }'),
      ),
    );
    expect(problems).toEqual([
      expect.objectContaining({ code: 'unreachable-rule', found: expect.stringContaining('the earlier rule wide') }),
    ]);
    expect(problems[0]?.place).toContain('alarms.yaml:6:3');
  });

  it('reports every problem at once, in the order of the file', async () => {
    const problems = await problemsIn(
      `owner: Team\nsenders:\n  prod: { kind: alertmanger }\nrules:\n  ${rule('a').replace('restart', 'nothing')}\n  ${rule('b', ', inputs: { x: 1 }', '{ alertname: B }')}\nextra: 1\n`,
    );
    expect(problems.map(({ place }) => place.replace(/^.*alarms\.yaml:(\d+):\d+ /, '$1 '))).toEqual([
      '1 owner',
      '3 senders.prod.kind',
      '5 rules.a.runbook',
      '6 rules.b.inputs.x',
      '7 extra',
    ]);
    expect(problems[1]?.remedy).toContain('alertmanager, smn, webhook, bearer');
  });

  it.each([
    ['empty senders', 'owner: team\nsenders: {}\nrules: {}\n', 'senders'],
    ['no senders', `owner: team\nrules:\n  ${rule('a')}\n`, 'senders'],
    ['a list', '- 1\n', 'Begin with owner:'],
  ])('with %s is refused', async (_what, text, reason) => {
    expect(JSON.stringify(await problemsIn(text))).toContain(reason);
  });
});

describe('secrets', () => {
  const sender = (text: string) => `owner: team\nsenders:\n  prod: ${text}\nrules:\n  ${rule('hung')}\n`;
  const webhook = (file: string) => sender(`{ kind: webhook, secretFiles: [${file}] }`);

  it.each([
    ['the token in place of its file', sender(`{ kind: alertmanager, tokenFiles: [${TOKEN}] }`), 'does not exist'],
    ['the token in place of a list', sender(`{ kind: alertmanager, tokenFiles: ${TOKEN} }`), 'is not valid'],
    [
      'a key of its own',
      sender(`{ kind: alertmanager, tokenFiles: [token], token: ${TOKEN} }`),
      'secrets come from files only',
    ],
    [
      'a header value',
      sender(
        `{ kind: smn, topics: ["urn:smn:cn-north-4:${'0'.repeat(32)}:a"], header: { name: x-key, value: ${TOKEN} } }`,
      ),
      'secrets come from files only',
    ],
    ['a short secret', sender('{ kind: bearer, tokenFiles: [short] }'), 'fewer than 16 characters'],
    ['an empty file', sender('{ kind: bearer, tokenFiles: [token, empty] }'), 'is empty'],
    ['a folder', sender('{ kind: bearer, tokenFiles: [.] }'), 'is a folder, not a regular file'],
    ['a named pipe', sender('{ kind: bearer, tokenFiles: [pipe] }'), 'is a named pipe, not a regular file'],
    ['a device', sender('{ kind: bearer, tokenFiles: [/dev/zero] }'), 'is a device, not a regular file'],
    ['a signing secret that is none', webhook('token'), 'does not hold a secret of Standard Webhooks'],
    ['no file at all', sender('{ kind: bearer, tokenFiles: [] }'), 'is not valid'],
  ])('%s is refused and never shown', async (_what, text, reason) => {
    const problems = JSON.stringify(await problemsIn(text));
    expect(problems).toContain(reason);
    expect(problems).not.toContain(TOKEN);
    expect(problems).not.toContain('tiny-secret');
  });
});

it.each([
  ['of a short RSA key', selfSignedRsa({ bits: 1_024 }).cert, 'not RSA of at least 2048 bits'],
  ['of another kind of key', selfSigned().cert, 'not RSA of at least 2048 bits'],
  ['that is none', '<html>', 'not a PEM certificate'],
])('a pinned certificate %s is a problem with its place, like any other', async (_what, pem, reason) => {
  await writeFile(join(folder, 'smn.pem'), pem);
  const smn = `{ kind: smn, topics: ["urn:smn:cn-north-4:${'0'.repeat(32)}:a"], certificateFiles: [smn.pem] }`;
  const [problem] = await problemsIn(`owner: team\nsenders:\n  eye: ${smn}\nrules:\n  ${rule('hung')}\n`);
  expect(problem?.place).toMatch(/alarms\.yaml:3:\d+ senders\.eye\.certificateFiles\.0/);
  expect(problem?.found).toContain(reason);
});
