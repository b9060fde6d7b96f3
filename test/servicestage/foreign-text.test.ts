/**
 * What ServiceStage writes is foreign: its ids choose no path, its texts and lists have bounds, its depth is counted,
 * and it reveals a wrong clock.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Credentials } from '../../src/servicestage/auth.js';
import { Secret } from '../../src/servicestage/secret.js';
import { startWarnings } from '../../src/servicestage/start-check.js';
import type { ServiceStage } from '../../src/servicestage/service-stage.js';
import { controlOf } from '../support/simulator.js';
import { startSimulator, type SimulatorOptions } from '../../src/simulator/server.js';
import {
  accessKeyOf,
  clientOf,
  clientOfSimulator,
  failureOf,
  passwordOf,
  post,
  READ,
  TARGET,
  targetIn,
  tokenOf,
} from './client.js';
import { answer, closedPort, startRawServer } from './raw-server.js';

const HOSTILE_IDS = [
  '../../../v3/auth/tokens?x=',
  '..',
  '.',
  'a/b',
  'a%2fb',
  'a?b',
  'a#b',
  '',
  ' ',
  'JOB\n1',
  'x'.repeat(129),
  '\u202e',
];

const status = (detail: object) => ({
  version: '1',
  status_detail: { status: 'RUNNING', replica: 1, available_replica: 1, ...detail },
});

async function answering(body: unknown, credentials?: Credentials) {
  const { endpoint, arrivals } = await startRawServer({ onRequest: (socket) => answer(socket, 200, body as object) });
  return { client: clientOf({ endpoint, ...(credentials === undefined ? {} : { credentials }) }), arrivals };
}

async function simulated(options: SimulatorOptions = {}) {
  const simulator = await startSimulator(options);
  onTestFinished(() => simulator.close());
  return { simulator, control: controlOf(simulator) };
}

describe('an id from the wire', () => {
  it.each(HOSTILE_IDS)('%j is not accepted as the id of a cloud job', async (jobId) => {
    const { client } = await answering({ job_id: jobId });
    expect(await failureOf(post(client))).toMatchObject({ code: 'Unanswered', sent: 'unknown' });
  });

  it.each(HOSTILE_IDS.filter((id) => id !== ''))('%j is not accepted as the newest cloud job', async (jobId) => {
    const { client } = await answering(status({ last_job_id: jobId }));
    const failure = await failureOf(client.readInstance(TARGET, READ));
    expect(failure).toMatchObject({ code: 'UnreadableAnswer', sent: 'no' });
    expect(failure.message).toContain('last_job_id');
  });

  it.each(HOSTILE_IDS)('%j, given to any call, sends nothing', async (id) => {
    const { client, arrivals } = await answering({});
    const calls = [
      client.readCloudJob(id, READ),
      client.listComponents(id, READ),
      client.listInstances('app', id, READ),
      client.readInstance({ ...TARGET, instanceId: id }, READ),
      client.listSnapshots({ ...TARGET, componentId: id }, READ),
      post(client, { target: { ...TARGET, applicationId: id } }),
    ];
    for (const call of calls) expect(await failureOf(call)).toMatchObject({ code: 'InvalidRequest', sent: 'no' });
    expect(arrivals).toEqual([]);
  });

  it('in a list is refused there, before anything is asked of it', async () => {
    const { client } = await answering({ count: 1, applications: [{ id: '../x', name: 'shop' }] });
    expect((await failureOf(client.listApplications(READ))).message).toContain('applications.0.id');
  });
});

describe('text from the wire', () => {
  it('has a bound wherever it is kept', async () => {
    const long = '警'.repeat(400_000);
    const { client } = await answering({
      ...status({ status: long, fail_detail: long, last_job_status: long }),
      version: long,
    });
    const reading = await client.readInstance(TARGET, READ);
    expect(Buffer.byteLength(JSON.stringify(reading))).toBeLessThan(2_000);
    expect(reading.failDetail).toMatch(/^警+ … \(1200002 bytes\)$/);
  });

  it('has a bound in errors, codes and request ids, and cuts no character', async () => {
    const long = '🔥'.repeat(200_000);
    const { endpoint } = await startRawServer({
      onRequest: (socket) => answer(socket, 400, { error_code: long, error_msg: long, request_id: long }),
    });
    const failure = await failureOf(clientOf({ endpoint }).readInstance(TARGET, READ));
    expect(Buffer.byteLength(failure.message)).toBeLessThan(1_000);
    expect(failure.message).not.toMatch(/\p{Cs}/u);
  });

  it('of an HTML page full of brackets takes no time', async () => {
    const { endpoint } = await startRawServer({ onRequest: (socket) => answer(socket, 502, '<'.repeat(4_000_000)) });
    expect(await failureOf(clientOf({ endpoint }).readInstance(TARGET, { timeoutMs: 20_000 }))).toMatchObject({
      code: 'Unreachable',
    });
  });

  it('in lists that are not needed is refused', async () => {
    const hosts = Array.from({ length: 600 }, (_, index) => `${index}`.padStart(36, '0'));
    // Bounded together: each of two resources may name fewer.
    const resources = [hosts.slice(0, 300), hosts.slice(300)].map((some) => ({ parameters: { hosts: some } }));
    const { client } = await answering({ ...status({}), refer_resources: resources });
    const failure = await failureOf(client.readInstance(TARGET, READ));
    expect(failure).toMatchObject({ code: 'UnreadableAnswer', sent: 'no' });
    expect(failure.message).toContain(
      'refer_resources: 600 hosts of 23401 bytes in all, and at most 13500 can be kept',
    );
  });
});

describe('an answer that is nested', () => {
  it.each([50_000, 3_000_000])('%i levels deep is refused before it is parsed', async (levels) => {
    const { simulator, control } = await simulated();
    await control.fault({ times: 2, fault: { kind: 'nested', levels } });
    const client = clientOfSimulator(simulator, tokenOf(simulator));
    const target = targetIn(simulator, 'shop/checkout/prod-1');
    const parsed = process.memoryUsage().rss;
    const reading = await failureOf(client.readInstance(target, { timeoutMs: 20_000 }));
    expect(reading).toMatchObject({ code: 'UnreadableAnswer', sent: 'no' });
    expect(reading.message).toContain(`nested ${levels} levels deep, and 64 are read`);
    expect(await failureOf(post(client, { target, timeoutMs: 20_000 }))).toMatchObject({
      code: 'Unanswered',
      sent: 'unknown',
    });
    expect(process.memoryUsage().rss - parsed).toBeLessThan(120_000_000);
  });
});

describe('a credential that is echoed', () => {
  const token = 'MIIsecrettokenabcdefghij0123456789';
  const credentials: Credentials = { kind: 'token', token: new Secret(token) };
  const forms = [
    Buffer.from(`X-Auth-Token: ${token}`).toString('base64'),
    Buffer.from(token).toString('base64url'),
    encodeURIComponent(token),
  ];

  it('is in no error, not in its code or request id either', async () => {
    const everyForm = forms.join(' | ');
    const { endpoint } = await startRawServer({
      onRequest: (socket) => answer(socket, 400, { error_code: forms[0], error_msg: everyForm, request_id: forms[1] }),
    });
    const { message } = await failureOf(clientOf({ endpoint, credentials }).readInstance(TARGET, READ));
    expect(message).toContain('***');
    for (const form of [...forms, token]) expect(message).not.toContain(form.slice(4, 20));
  });

  it('is in no reading', async () => {
    const { client } = await answering(status({ fail_detail: `refused ${forms.join(' ')}` }), credentials);
    expect((await client.readInstance(TARGET, READ)).failDetail).toBe('refused *** *** ***');
  });
});

describe('a clock that is off', () => {
  it.each([20 * 60_000, -20 * 60_000])('by %i ms is named where a signature is refused', async (advanceMs) => {
    const { simulator, control } = await simulated();
    await control.time({ advanceMs });
    const client = clientOfSimulator(simulator, accessKeyOf(simulator));
    const { code, message } = await failureOf(client.listApplications(READ));
    expect(code).toBe('NotAllowed');
    const side = advanceMs > 0 ? 'behind' : 'ahead of';
    expect(message).toMatch(new RegExp(`; the clock of this machine is (20m|19m 59s|20m 1s) ${side} ServiceStage's`));
  });

  it('is not named where nothing else is wrong than the credentials', async () => {
    const { simulator } = await simulated();
    const client = clientOfSimulator(simulator, { kind: 'token', token: new Secret('wrong') });
    expect((await failureOf(client.listApplications(READ))).message).not.toContain('clock');
  });
});

describe('at the start of a worker', () => {
  const warningsOf = (client: ServiceStage) => startWarnings(client, 2_000);

  it.each(['accessKey', 'password'] as const)('there is no warning when all is well (%s)', async (kind) => {
    const { simulator } = await simulated();
    const credentials = kind === 'accessKey' ? accessKeyOf(simulator) : passwordOf(simulator);
    expect(await warningsOf(clientOfSimulator(simulator, credentials))).toEqual([]);
  });

  it('an IAM that does not answer is named, with what to set', async () => {
    const { simulator } = await simulated();
    const iamEndpoint = `http://127.0.0.1:${await closedPort()}`;
    const unreachable = clientOfSimulator(simulator, accessKeyOf(simulator), { iamEndpoint });
    expect(await warningsOf(unreachable)).toEqual([
      expect.stringMatching(/^IAM did not report our user id: .*ECONNREFUSED.*SERVICESTAGE_USER_ID/),
    ]);
    const withUserId = clientOfSimulator(simulator, accessKeyOf(simulator), { iamEndpoint, userId: simulator.userId });
    expect(await warningsOf(withUserId)).toEqual([]);
  });

  it('a ready-made token does not reveal its user', async () => {
    const { simulator } = await simulated();
    expect(await warningsOf(clientOfSimulator(simulator, tokenOf(simulator)))).toEqual([
      expect.stringMatching(/^IAM refuses to report our user id\. .*SERVICESTAGE_USER_ID/),
    ]);
  });

  it('a clock that is off and credentials that are refused are named', async () => {
    const { simulator, control } = await simulated();
    await control.time({ advanceMs: 3_600_000 });
    const warnings = await warningsOf(
      clientOfSimulator(simulator, accessKeyOf(simulator), { userId: simulator.userId }),
    );
    expect(warnings.join('\n')).toMatch(/ServiceStage does not list applications: .*401/);
    expect(warnings.at(-1)).toMatch(/^the clock of this machine is (1h|59m 59s) behind .* Correct the clock/);
  });
});
