/** Our picture of the API held to Huawei's own code: its transport drives the simulator, its signer agrees with ours. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/servicestage/secret.js';
import { signRequest } from '../../src/servicestage/sign-request.js';
import { startSimulator, type RunningSimulator } from '../../src/simulator/server.js';
import { controlOf } from '../support/simulator.js';
import { huaweiAuthorization, huaweiClient, installHuaweiPackages, type HuaweiClient } from './huawei.js';

beforeAll(() => installHuaweiPackages());

const INSTANCES = '/v2/{project_id}/cas/applications/{application_id}/components/{component_id}/instances';
const INSTANCE = `${INSTANCES}/{instance_id}`;

describe("Huawei's transport against the simulator", () => {
  let simulator: RunningSimulator;
  let huawei: HuaweiClient;
  let pathParams: Record<string, string>;
  beforeAll(async () => {
    simulator = await startSimulator({ switches: { jitter: 0, taskCount: 25 } });
    huawei = huaweiClient(simulator.url, simulator);
    const { id, applicationId, componentId } = simulator.instances[0] ?? expect.fail();
    pathParams = { application_id: applicationId, component_id: componentId, instance_id: id };
  });
  afterAll(() => simulator.close());

  it('reads an instance', async () => {
    const answer = await huawei.send({ method: 'GET', url: INSTANCE, pathParams });
    expect(answer).toMatchObject({
      httpStatusCode: 200,
      id: pathParams['instance_id'],
      status_detail: { status: 'RUNNING', replica: 2, available_replica: 2 },
    });
  });

  it('lists instances and snapshots by page, with a query that needs encoding', async () => {
    const queryParams = { limit: 1, offset: 1, order_by: 'create time/ä*~' };
    const instances = await huawei.send({ method: 'GET', url: INSTANCES, pathParams, queryParams });
    expect(instances).toMatchObject({ count: 2, instances: [{ name: 'prod-2' }] });
    const snapshots = await huawei.send({ method: 'GET', url: `${INSTANCE}/snapshots`, pathParams, queryParams });
    expect(snapshots).toMatchObject({ count: 3, snapshots: [{ version: '1.3.2' }] });
  });

  it('sends an action and follows its cloud job through both pages of its tasks', async () => {
    const data = { action: 'scale', parameters: { replica: 4 } };
    const { job_id: jobId } = await huawei.send({ method: 'POST', url: `${INSTANCE}/action`, pathParams, data });
    expect(jobId).toMatch(/^JOB[0-9a-f-]{36}$/);
    await controlOf(simulator).time({ advanceMs: 60_000 });
    const jobOf = (offset: number) =>
      huawei.send({
        method: 'GET',
        url: '/v2/{project_id}/cas/jobs/{job_id}',
        pathParams: { job_id: String(jobId) },
        queryParams: { limit: 20, offset, desc: 'false' },
      });
    const pages = [await jobOf(0), await jobOf(20)];
    expect(pages[0]).toMatchObject({
      task_count: 25,
      job: { JOB_ID: jobId, EXECUTION_STATUS: 'SUCCEEDED', CREATED_BY: simulator.userId },
    });
    expect(pages.map(({ tasks }) => (tasks as unknown[]).length)).toEqual([20, 5]);
  });

  it.each([
    ['an unknown instance', INSTANCE, { instance_id: 'none' }, 404, 'SVCSTG.00100412', 'instance not found'],
    [
      'an unknown cloud job',
      '/v2/{project_id}/cas/jobs/{job_id}',
      { job_id: 'none' },
      404,
      'SVCSTG.00100429',
      'job not found',
    ],
  ] as const)('understands the answer about %s', async (_name, url, params, httpStatusCode, errorCode, errorMsg) => {
    const sent = huawei.send({ method: 'GET', url, pathParams: { ...pathParams, ...params } });
    await expect(sent).rejects.toMatchObject({
      httpStatusCode,
      errorCode,
      errorMsg,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
  });

  it('understands a 429', async () => {
    await controlOf(simulator).fault({ on: { route: 'instance' }, fault: { kind: 'throttle' } });
    await expect(huawei.send({ method: 'GET', url: INSTANCE, pathParams })).rejects.toMatchObject({
      httpStatusCode: 429,
      errorCode: 'APIGW.0308',
    });
  });

  it('is refused with a wrong secret key', async () => {
    const wrong = huaweiClient(simulator.url, { ...simulator, secretKey: 'wrong' });
    await expect(wrong.send({ method: 'GET', url: INSTANCE, pathParams })).rejects.toMatchObject({
      httpStatusCode: 401,
      errorCode: 'APIGW.0301',
    });
  });

  it('makes no request that the simulator does not know', async () => {
    expect((await controlOf(simulator).requests()).unexpected).toBe(0);
  });
});

/** Segments of unreserved characters only: Huawei's signer encodes an encoded path again. */
const segment = fc.stringMatching(/^[A-Za-z0-9._~-]{1,20}$/);
const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const query = fc.uniqueArray(fc.tuple(text, fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 }))), {
  maxLength: 5,
  selector: ([name]) => name,
});
const headerValue = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9 =;,/-]{0,20}[A-Za-z0-9])?$/);
const requests = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
  path: fc.array(segment, { minLength: 1, maxLength: 8 }).map((segments) => `/${segments.join('/')}`),
  port: fc.option(fc.integer({ min: 1, max: 65_535 })),
  query,
  headers: fc.dictionary(fc.stringMatching(/^X-[A-Z][a-z]{1,8}(-[A-Z0-9][a-z]{0,5})?$/), headerValue, { maxKeys: 4 }),
  data: fc.option(fc.dictionary(text, fc.jsonValue({ depthSize: 'small' }), { noNullPrototype: true })),
  now: fc.date({ min: new Date('2020-01-01T00:00:00Z'), max: new Date('2049-12-31T00:00:00Z'), noInvalidDate: true }),
  secretKey: fc.stringMatching(/^[A-Za-z0-9]{40}$/),
});

it("our signature is Huawei's, for any request", () => {
  fc.assert(
    fc.property(requests, ({ method, path, port, query, headers, data, now, secretKey }) => {
      const host = `servicestage.example.com${port === null ? '' : `:${port}`}`;
      const ours = signRequest(
        {
          method,
          path,
          host,
          query: query.flatMap(([name, values]) => [values].flat().map((value) => [name, value] as const)),
          headers: { 'Content-Type': 'application/json', ...headers },
          body: data === null ? '' : JSON.stringify(data),
        },
        { accessKey: 'AK', secretKey: new Secret(secretKey) },
        now,
      );
      const theirs = huaweiAuthorization(
        {
          method,
          endpoint: `https://${host}${path}`,
          queryParams: Object.fromEntries(
            query.map(([name, value]) => [name, Array.isArray(value) ? [...value] : value]),
          ),
          headers: { 'Content-Type': 'application/json', ...headers, 'X-Sdk-Date': ours['X-Sdk-Date'] ?? '' },
          ...(data === null ? {} : { data }),
        },
        'AK',
        secretKey,
      );
      expect(ours['Authorization']).toBe(theirs);
    }),
    { numRuns: 500 },
  );
});
