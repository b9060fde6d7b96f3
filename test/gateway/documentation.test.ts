/**
 * What docs/alarms.md, docs/alarms-reference.md and deploy/ show is right: files are read, the example signs what the
 * gateway takes, the configuration fits Alertmanager's own.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findRunbook } from '../../src/runbooks/catalogue.js';
import { DECISIONS } from '../../src/domain/alarms/alarm.js';
import { readAlarmsFile } from '../../src/gateway/alarms-file/read-alarms-file.js';
import { codeBlocksOf } from '../support/code-blocks.js';
import { endOf } from '../support/command-line.js';
import { useGateway } from '../support/gateway.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const desk = useGateway(temporal);
let text: string;
beforeAll(async () => {
  text = await readFile(new URL('../../docs/alarms.md', import.meta.url), 'utf8');
});

async function readText(alarmsFile: string) {
  const path = join(desk.folder, 'documented.yaml');
  await writeFile(path, alarmsFile);
  return readAlarmsFile(path, { findRunbook: (name) => findRunbook([], name), readSecret: null });
}

describe('the documentation', () => {
  it('shows valid alarms files', async () => {
    const files = codeBlocksOf(text, 'yaml').filter((block) => /^owner:/m.test(block));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(await readText(file)).toMatchObject({ owner: 'platform-team' });
  });

  it('shows a receiver of Alertmanager for the sender of the file', async () => {
    const [alarmsFile = '', ...others] = codeBlocksOf(text, 'yaml');
    const [config] = others.map((block) => parse(block) as AlertmanagerConfig).filter(({ receivers }) => receivers);
    const webhook = config?.receivers.flatMap(({ webhook_configs: configs = [] }) => configs)[0];
    const alarms = await readText(alarmsFile);
    if (Array.isArray(alarms)) throw new Error('the alarms file has problems');
    const path = new URL(webhook?.url ?? '').pathname;
    expect(alarms.senders.map(({ name }) => `/alarms/${name}`)).toContain(path);
    expect(webhook?.http_config.authorization.credentials_file).toContain('alertmanager-token');
    expect(config?.route.routes[0]?.receiver).toBe('runbooks');
  });

  it('signs a body so that the gateway accepts it', async () => {
    const [program = ''] = codeBlocksOf(text, 'js');
    const [body = ''] = codeBlocksOf(text, 'json').filter((block) => block.includes('"id": "disk-42"'));
    const at = (name: string) => join(desk.folder, name);
    await writeFile(at('deploys-secret'), `whsec_${randomBytes(32).toString('base64')}\n`);
    await writeFile(at('sign-and-send.mjs'), program);
    await writeFile(at('body.json'), body);
    const rule = { when: { alertname: 'DeployFinished' }, runbook: 'health-check', within: ['shop/*/*'] };
    const file = await desk.file(
      desk.newOwner(),
      { deploy: { ...rule, target: 'shop/${{ labels.component }}/prod-1' } },
      { deploys: { kind: 'webhook', secretFiles: ['deploys-secret'] } },
    );
    const { url } = await desk.start(file, 'dry');
    const send = (secret: string) =>
      endOf(spawn(process.execPath, [at('sign-and-send.mjs'), `${url}/alarms/deploys`, at(secret), at('body.json')]));
    const taken = await send('deploys-secret');
    expect(taken).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('200 ') });
    expect(taken.stdout).toContain('would start health-check on shop/checkout/prod-1');
    await writeFile(at('other-secret'), `whsec_${randomBytes(32).toString('base64')}\n`);
    expect((await send('other-secret')).stdout).toMatch(/^403 /);
  });

  it('names every decision', async () => {
    const reference = await readFile(new URL('../../docs/alarms-reference.md', import.meta.url), 'utf8');
    for (const kind of Object.keys(DECISIONS)) expect(reference).toContain(`\`${kind}\``);
  });
});

interface AlertmanagerConfig {
  readonly route: { readonly routes: readonly { readonly receiver: string }[] };
  readonly receivers: readonly {
    readonly webhook_configs?: readonly {
      readonly url: string;
      readonly http_config: { readonly authorization: { readonly credentials_file: string } };
    }[];
  }[];
}

it('the alarms file of the compose file is valid', async () => {
  const file = await readFile(new URL('../../deploy/gateway/alarms.yaml', import.meta.url), 'utf8');
  expect(await readText(file)).toMatchObject({ rules: [{ name: 'restart-hung-instance' }] });
});
