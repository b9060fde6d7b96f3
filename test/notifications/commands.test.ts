/** `runbook notify` and `runbook validate` of a notifications file, as users type them. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runbook } from '../support/command-line.js';
import { always, startReceiver, type Answer } from '../support/receiver.js';

let file: string;
beforeAll(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'notify-')), 'notifications.yaml');
  await writeFile(
    file,
    `webhooks:
  ops-chat: { kind: slack, urlEnv: RUNBOOK_NOTIFY_OPS_URL, allowHttp: true }
  pager: { kind: webhook, url: https://pager.example.com, secretEnvs: [RUNBOOK_NOTIFY_PAGER], on: [failed, late] }
`,
  );
});

const PAGER = `whsec_${'A'.repeat(32)}`;
const env = (url: string) => ({
  RUNBOOK_NOTIFY_OPS_URL: url,
  RUNBOOK_NOTIFY_PAGER: PAGER,
  RUNBOOK_NOTIFICATIONS: file,
});
const here = () => env('http://127.0.0.1:9/sesame');

async function test(answer: Answer, ...more: string[]) {
  const receiver = await startReceiver(answer);
  return { receiver, ...(await runbook(['notify', 'test', 'ops-chat', ...more], env(`${receiver.origin}/sesame`))) };
}

describe('runbook notify test', () => {
  it('sends a message that calls itself a test, shows the answer, and exits with 0', async () => {
    const { receiver, exitCode, stdout, stderr } = await test(always(200, 'ok'));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^ops-chat: delivered\. 127\.0\.0\.1:\d+: answered 200: ok\n$/);
    expect(receiver.received[0]?.body).toContain('This is a test of the webhook ops-chat. No run is concerned');
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({ text: 'Runbook test message' });
  });

  it('exits with 1 for a refusal and for no answer, and shows no address', async () => {
    const refused = await test(always(404, 'no_service'));
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toMatch(/^ops-chat: refused\. 127\.0\.0\.1:\d+: answered 404: no_service\n$/);
    const reset = await test((response) => void response.socket?.destroy(), '--json');
    expect(reset.exitCode).toBe(1);
    expect(JSON.parse(reset.stdout)).toMatchObject({ webhook: 'ops-chat', result: 'unanswered' });
    for (const { stdout, stderr } of [refused, reset]) expect(`${stdout}${stderr}`).not.toContain('sesame');
  });

  it('exits with 2 for another name, no file, and a file with problems', async () => {
    const named = await runbook(['notify', 'test', 'ops-chta'], here());
    expect(named).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Did you mean ops-chat?') as string });
    const { RUNBOOK_NOTIFICATIONS: _file, ...without } = here();
    const noFile = await runbook(['notify', 'test', 'ops-chat'], without);
    expect(noFile).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('RUNBOOK_NOTIFICATIONS') as string });
    const noSecrets = await runbook(['notify', 'ls', '--file', file]);
    expect(noSecrets.exitCode).toBe(2);
    expect(noSecrets.stderr).toContain(`${file}:2:36 webhooks.ops-chat.urlEnv`);
    expect(noSecrets.stderr).toContain(`${file}:3:72 webhooks.pager.secretEnvs.0`);
  });
});

it('runbook notify ls lists the webhooks without their secrets', async () => {
  const { exitCode, stdout } = await runbook(['notify', 'ls'], here());
  expect(exitCode).toBe(0);
  expect(stdout.split('\n')).toEqual([
    'ops-chat  slack    127.0.0.1:9        waiting, paused, failed, indeterminate, compensated, late',
    'pager     webhook  pager.example.com  failed, late',
    '',
  ]);
  const json = await runbook(['notify', 'ls', '--json'], here());
  expect(JSON.parse(json.stdout)).toMatchObject({ webhooks: [{ name: 'ops-chat' }, { name: 'pager', signed: true }] });
  expect(`${stdout}${json.stdout}`).not.toMatch(/sesame|whsec_/);
});

it('runbook validate checks a notifications file without its secrets', async () => {
  const good = await runbook(['validate', file]);
  expect(good).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 notifications file') as string });
  const bad = `${file}.bad.yaml`;
  await writeFile(bad, 'webhooks:\n  ops: { kind: slack, url: https://hooks.example.com/sesame }\n');
  const found = await runbook(['validate', bad]);
  expect(found.exitCode).toBe(2);
  expect(`${found.stdout}${found.stderr}`).toMatch(/bad\.yaml:2:23 webhooks\.ops\.url: .*with urlEnv/);
});

it('runbook schema prints the schema of the file', async () => {
  const { stdout } = await runbook(['schema', 'notifications']);
  expect(JSON.parse(stdout)).toMatchObject({ title: 'A servicestage-runbooks notifications file' });
});
