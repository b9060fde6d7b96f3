/** The notifications file: what it gives, and every problem with its place, without a secret. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_EVENTS } from '../../../src/domain/notifications/events.js';
import { readWebhooks } from '../../../src/notifications/read-webhooks.js';
import type { Webhook } from '../../../src/notifications/webhook.js';
import { Secret } from '../../../src/servicestage/secret.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webhooks-'));
});

const SIGNING = `whsec_${'A'.repeat(32)}`;
const VALUES = {
  RUNBOOK_NOTIFY_URL: 'https://hooks.example.com/services/T0/B0/sesame-open',
  RUNBOOK_NOTIFY_SECRET: SIGNING,
  RUNBOOK_NOTIFY_HTTP: 'http://127.0.0.1:9999/sesame-open',
  RUNBOOK_NOTIFY_FAR: 'http://chat.example.com/sesame-open',
  RUNBOOK_NOTIFY_USER: 'https://me:sesame-open@chat.example.com/',
  RUNBOOK_NOTIFY_WORDS: 'sesame-open',
};
const secrets = new Map(Object.entries(VALUES).map(([name, value]) => [name, new Secret(value)]));

async function read(yaml: string, given: typeof secrets | null) {
  const file = join(folder, 'n.yaml');
  await writeFile(file, yaml);
  return readWebhooks(file, given);
}

async function webhooksIn(yaml: string, given: typeof secrets | null = secrets): Promise<readonly Webhook[]> {
  const found = await read(yaml, given);
  if (Array.isArray(found)) throw new Error(JSON.stringify(found));
  return found.webhooks;
}

async function problemsIn(yaml: string): Promise<string[]> {
  const found = await read(yaml, secrets);
  if (!Array.isArray(found)) throw new Error('the file has no problems');
  expect(JSON.stringify(found)).not.toContain('sesame');
  return found.map(({ place, found: what, remedy }) => `${place.slice(folder.length + 1)}: ${what}. ${remedy}`);
}

describe('a notifications file', () => {
  it('gives webhooks with addresses, secrets and events', async () => {
    const webhooks = await webhooksIn(`webhooks:
  ops: { kind: slack, urlEnv: RUNBOOK_NOTIFY_URL }
  pager: { kind: webhook, url: 'https://pager.example.com:8443/hook', secretEnvs: [RUNBOOK_NOTIFY_SECRET], on: [failed] }
  local: { kind: wecom, urlEnv: RUNBOOK_NOTIFY_HTTP, allowHttp: true }
  group: { kind: dingtalk, urlEnv: RUNBOOK_NOTIFY_URL, secretEnv: RUNBOOK_NOTIFY_WORDS }
`);
    expect(webhooks).toMatchObject([
      { name: 'ops', kind: 'slack', host: 'hooks.example.com', on: DEFAULT_EVENTS },
      { name: 'pager', kind: 'webhook', host: 'pager.example.com:8443', on: ['failed'] },
      { name: 'local', kind: 'wecom', host: '127.0.0.1:9999' },
      { name: 'group', kind: 'dingtalk', host: 'hooks.example.com' },
    ]);
    expect(JSON.stringify(webhooks)).not.toContain('sesame');
  });

  it('is checked without its secrets where there are none', async () => {
    const file = `webhooks:
  ops: { kind: slack, urlEnv: RUNBOOK_NOTIFY_ELSEWHERE }
  pager: { kind: webhook, url: 'https://pager.example.com', secretEnvs: [RUNBOOK_NOTIFY_NOT_HERE] }
`;
    expect(await webhooksIn(file, null)).toMatchObject([{ name: 'ops' }, { name: 'pager' }]);
    expect(await problemsIn(file)).toEqual([
      'n.yaml:2:31 webhooks.ops.urlEnv: the variable RUNBOOK_NOTIFY_ELSEWHERE is not set. Set it for every worker, and never write it into a file',
      'n.yaml:3:74 webhooks.pager.secretEnvs.0: the variable RUNBOOK_NOTIFY_NOT_HERE is not set. Set it for every worker, and never write it into a file',
    ]);
  });

  it('reports every problem at once, in the order of the file', async () => {
    const found = await problemsIn(`webhooks:
  a: { kind: slack, urlEnv: RUNBOOK_NOTIFY_FAR }
  b: { kind: slak, urlEnv: RUNBOOK_NOTIFY_URL }
  c: { kind: webhook, secretEnvs: [RUNBOOK_NOTIFY_WORDS] }
  d: { kind: teams, urlEnv: RUNBOOK_NOTIFY_URL, on: [failed, sometimes] }
  Bad_Name: { kind: teams, urlEnv: RUNBOOK_NOTIFY_URL }
`);
    expect(found.map((each) => each.split('. ')[0])).toEqual([
      'n.yaml:2:29 webhooks.a.urlEnv: the address uses http://',
      'n.yaml:3:14 webhooks.b.kind: "slak" does not fit',
      'n.yaml:4:6 webhooks.c: it has no address',
      'n.yaml:4:36 webhooks.c.secretEnvs.0: the variable RUNBOOK_NOTIFY_WORDS does not hold a secret of Standard Webhooks',
      'n.yaml:5:62 webhooks.d.on.1: "sometimes" does not fit',
      'n.yaml:6:3 webhooks.Bad_Name: "Bad_Name" is not a valid name',
    ]);
    expect(found[1]).toContain('Use one of: webhook, slack, teams, dingtalk, feishu, wecom');
    expect(found[5]).toContain('lower-case letters');
  });

  it.each([
    ['a secret address in the file', '{ kind: slack, url: https://hooks.example.com/sesame-open }', /with urlEnv/],
    [
      'a secret under another key',
      '{ kind: wecom, urlEnv: RUNBOOK_NOTIFY_URL, token: sesame-open }',
      /secrets come from/,
    ],
    [
      'the address where a name belongs',
      '{ kind: slack, urlEnv: https://h.example.com/sesame-open }',
      /begins with RUNBOOK/,
    ],
    ['credentials of ServiceStage', '{ kind: slack, urlEnv: HUAWEICLOUD_SDK_SK }', /begins with RUNBOOK_NOTIFY_/],
    ['an address that is none', '{ kind: slack, urlEnv: RUNBOOK_NOTIFY_WORDS }', /not a URL/],
    ['a password in the address', '{ kind: slack, urlEnv: RUNBOOK_NOTIFY_USER }', /contains a user name/],
    ['http to this machine unless allowed', '{ kind: slack, urlEnv: RUNBOOK_NOTIFY_HTTP }', /allowHttp: true/],
    ['http to another machine', '{ kind: slack, urlEnv: RUNBOOK_NOTIFY_FAR, allowHttp: true }', /uses http/],
    [
      'two addresses',
      '{ kind: webhook, url: https://a.example.com, urlEnv: RUNBOOK_NOTIFY_URL, secretEnvs: [RUNBOOK_NOTIFY_SECRET] }',
      /two addresses/,
    ],
    ['a webhook without a signature', '{ kind: webhook, url: https://a.example.com }', /"secretEnvs" is missing/],
    ['no events', '{ kind: slack, urlEnv: RUNBOOK_NOTIFY_URL, on: [] }', /Name at least one/],
  ])('refuses %s', async (_what, entry, wanted) => {
    const found = await problemsIn(`webhooks:\n  ops: ${entry}\n`);
    expect(found.join('\n')).toMatch(wanted);
    for (const problem of found) expect(problem).toMatch(/^n\.yaml:2:\d+ webhooks\.ops/);
  });

  it('refuses files of other kinds, empty ones, and more webhooks than are notified at once', async () => {
    expect(await problemsIn('steps: []\n')).toEqual([
      expect.stringContaining('this is a runbook. Write a notifications file'),
    ]);
    expect(await problemsIn('webhooks: {}\n')).toEqual([expect.stringContaining('Name at least one webhook')]);
    expect(await problemsIn('')).toEqual([expect.stringContaining('Begin with webhooks:')]);
    const many = Array.from({ length: 21 }, (_, index) => `  w${index}: { kind: slack, urlEnv: RUNBOOK_NOTIFY_URL }\n`);
    expect(await problemsIn(`webhooks:\n${many.join('')}`)).toEqual([expect.stringContaining('Name at most 20')]);
  });
});

it('an address that is replaced while the worker runs counts for the next message; one that is not an address does not', async () => {
  const source = { text: 'https://a.example.com/one' };
  const given = new Map([['RUNBOOK_NOTIFY_URL', new Secret({ read: () => source.text })]]);
  const [webhook] = await webhooksIn('webhooks:\n  ops: { kind: slack, urlEnv: RUNBOOK_NOTIFY_URL }\n', given);
  source.text = 'https://b.example.com/two';
  expect([webhook?.url.reveal(), webhook?.host]).toEqual(['https://b.example.com/two', 'b.example.com']);
  source.text = 'not an address';
  expect(webhook?.url.reveal()).toBe('https://b.example.com/two');
});
