/** `runbook gateway` and `runbook alarm` as users type them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecidedAlarm } from '../../src/domain/alarms/alarm.js';
import { runbook, runbookProcess } from '../support/command-line.js';
import { alertmanagerBody, deliver, restartRule, startGatewayProcess, TOKEN, useGateway } from '../support/gateway.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const desk = useGateway(temporal);
let stack: Stack;
let file: string;
beforeAll(async () => {
  stack = await startStack(temporal);
  file = await desk.file(desk.newOwner(), {
    strict: restartRule({ when: { alertname: 'InstanceHangs', severity: ['page', 'critical'] } }),
    hung: restartRule({ coolDown: '10m', atMost: { runs: 3, within: '1d' } }),
  });
});
afterAll(() => stack.close());

const alarm = (...words: string[]) => runbook(['alarm', ...words], desk.env);

async function bodyFile(text: string): Promise<string> {
  const path = join(desk.folder, 'body.json');
  await writeFile(path, text);
  return path;
}

const HANGS = { labels: { alertname: 'InstanceHangs', instance: 'prod-1', severity: 'warning' } };

describe('runbook alarm try', () => {
  it('shows which rule an alarm matches, what it would start, and why the other rules do not match', async () => {
    const body = await bodyFile(alertmanagerBody([HANGS, { labels: { alertname: 'Other' } }]));
    const { exitCode, stdout } = await alarm('try', body, '--file', file);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'InstanceHangs firing → rule hung',
      '  would start restart on shop/checkout/prod-1 unless a brake holds: one run per firing; no other run on the target; no run on the target ended less than 10m ago; at most 3 in 24h',
      '  not strict: severity is "warning", not page or critical',
      'Other firing → no rule',
      '  no rule matches it',
      '  not strict: alertname is "Other", not InstanceHangs; severity is missing, not page or critical',
      '  not hung: alertname is "Other", not InstanceHangs',
      '',
    ]);
    const { alarms } = JSON.parse((await alarm('try', body, '--file', file, '--json')).stdout) as {
      alarms: { rule: string | null; start: { target: string } | null }[];
    };
    expect(alarms).toMatchObject([
      { rule: 'hung', start: { target: 'shop/checkout/prod-1' } },
      { rule: null, start: null },
    ]);
  });

  it('needs no secrets, and takes the file from RUNBOOK_ALARMS', async () => {
    const elsewhere = await desk.file(
      desk.newOwner(),
      { hung: restartRule() },
      {
        prod: { kind: 'alertmanager', tokenFiles: ['/nowhere/token'] },
        deploys: { kind: 'webhook', secretFiles: ['/nowhere/secret'] },
        eye: {
          kind: 'smn',
          topics: [`urn:smn:cn-north-4:${'0'.repeat(32)}:ops`],
          certificateFiles: ['/nowhere/cert.pem'],
        },
      },
    );
    const env = { ...desk.env, RUNBOOK_ALARMS: elsewhere };
    const generic = await bodyFile(
      '{"id":"1","name":"InstanceHangs","status":"firing","labels":{"instance":"prod-1"}}',
    );
    const { exitCode, stdout, stderr } = await runbook(['alarm', 'try', generic, '--sender', 'deploys'], env);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('would start restart on shop/checkout/prod-1');
    const unnamed = await runbook(['alarm', 'try', generic], env);
    expect(unnamed).toMatchObject({ exitCode: 2, stdout: '' });
    expect(unnamed.stderr).toContain('several senders. Choose one: --sender prod or --sender deploys or --sender eye');
    expect((await runbook(['alarm', 'try', generic, '--sender', 'deploy'], env)).stderr).toContain(
      'Did you mean deploys?',
    );
  });

  it('shows why a body is refused, and no control characters from its sender', async () => {
    const refused = await alarm('try', await bodyFile('{"alerts":1}'), '--file', file);
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.stderr).toContain('would refuse this body: not a body of Alertmanager');
    expect((await alarm('try', join(desk.folder, 'nothing'), '--file', file)).stderr).toContain('does not exist');
    const odd = { labels: { alertname: 'Other\u001b[31m', severity: '\u202eegap' } };
    const { stdout } = await alarm('try', await bodyFile(alertmanagerBody([odd])), '--file', file);
    expect(stdout).toContain('severity is');
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

describe.concurrent('runbook alarm log', () => {
  it('shows what was decided, newest first, by which rule, and the run', async () => {
    const owner = desk.newOwner();
    const own = await desk.file(owner, {
      hung: restartRule({ coolDown: '10m' }),
      never: restartRule({ when: { a: 'b' } }),
    });
    expect((await alarm('log', '--file', own)).stdout).toBe('No decision yet\n');
    const { url } = await desk.start(own);
    // A target of its own: other runs on it would hold the rule back.
    const instance = `prod-${owner}`;
    const body = alertmanagerBody([
      { labels: { alertname: 'InstanceHangs', instance } },
      { labels: { alertname: 'Other' } },
    ]);
    const first = await deliver(url, body);
    await deliver(url, body);
    const run = first.json.decisions?.[0]?.run ?? '';
    const { stdout } = await alarm('log', '--file', own);
    expect(stdout).toMatch(
      new RegExp(
        `^\\S+Z  repeated  InstanceHangs firing  hung on shop/checkout/${instance}\\n    its run ${run} was started`,
        'm',
      ),
    );
    expect(stdout).toMatch(/^\S+Z {2}unmatched {2}Other firing {2}UNMATCHED$/m);
    const json = async (...words: string[]) =>
      (JSON.parse((await alarm('log', '--file', own, '--json', ...words)).stdout) as { alarms: DecidedAlarm[] }).alarms;
    expect((await json('--rule', 'hung')).map(({ decision }) => decision.kind)).toEqual(['repeated', 'started']);
    expect(await json('--limit', '1')).toHaveLength(1);
    expect(await json('--rule', 'never')).toEqual([]);
    const times = (await json()).map(({ decidedAtMs }) => decidedAtMs);
    expect(times).toEqual([...times].sort((left, right) => right - left));
    expect(times).toHaveLength(4);
    const missed = await alarm('log', '--file', own, '--rule', 'hang');
    expect(missed).toMatchObject({ exitCode: 2, stdout: '' });
    expect(missed.stderr).toContain('Did you mean hung?');
  });

  it('reports that Temporal is unreachable', async () => {
    const away = await runbookProcess(['alarm', 'log', '--file', file], { TEMPORAL_ADDRESS: '127.0.0.1:9' });
    expect(away).toMatchObject({ exitCode: 3, stdout: '' });
  });
});

describe.concurrent('runbook gateway', () => {
  it('is off unless a file is named', async () => {
    const { exitCode, stderr } = await runbookProcess(['gateway'], desk.env);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('No alarms file is named. Give --file FILE, or set RUNBOOK_ALARMS');
  });

  it('refuses to start with every problem of the file in one message', async () => {
    const bad = join(desk.folder, 'bad.yaml');
    await writeFile(
      bad,
      'owner: team\nsenders:\n  prod: { kind: alertmanager, tokenFiles: [nothing] }\nrules:\n  hung: { when: {}, runbook: restrat, target: a/b, within: [a/*/*] }\n',
    );
    const { exitCode, stdout, stderr } = await runbook(['gateway', '--file', bad], desk.env);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr.match(/bad\.yaml:\d+:\d+/g)).toHaveLength(4);
    const asJson = await runbook(['gateway', '--file', bad, '--json'], desk.env);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ error: { kind: 'InvalidAlarms' } });
  });

  it('prints where it listens; a dry run touches nothing and needs no Temporal', async () => {
    const env = { TEMPORAL_ADDRESS: '127.0.0.1:9', TEMPORAL_APIKEY: 'mistyped' };
    const dry = await startGatewayProcess(['--file', file, '--dry-run'], env);
    expect(JSON.parse(dry.lines[0] ?? '')).toMatchObject({
      url: dry.url,
      dryRun: true,
      senders: [{ name: 'prod', kind: 'alertmanager', url: `${dry.url}/alarms/prod` }],
      rules: ['strict', 'hung'],
    });
    expect((await deliver(dry.url, alertmanagerBody([HANGS]))).json).toMatchObject({
      dryRun: true,
      decisions: [{ wouldStart: { target: 'shop/checkout/prod-1' } }],
    });
    expect(await dry.kill('SIGTERM')).toBe(0);
    expect(dry.lines.join('\n')).not.toContain(TOKEN);
    expect(JSON.parse(dry.lines[1] ?? '')).toMatchObject({
      level: 'info',
      msg: 'gateway ready',
      dryRun: true,
      senders: ['prod (alertmanager)'],
      rules: ['strict', 'hung'],
    });
    // Behind them standard error: what it prints may come before.
    const rest = dry.lines.slice(2).filter((line) => line.startsWith('{'));
    expect(JSON.parse(rest[0] ?? '')).toMatchObject({ level: 'warn', msg: 'configuration warning' });
  });

  it('explains that its port is taken', async () => {
    const { url } = await desk.start(file, 'dry');
    const { exitCode, stderr } = await runbookProcess(
      ['gateway', '--file', file, '--port', new URL(url).port],
      desk.env,
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain('EADDRINUSE');
  });
});
