/** Each refusal by the server has one name, for runs and for schedules; `apply` reports what it applied before. */
import { Client } from '@temporalio/client';
import { afterEach, describe, expect, it } from 'vitest';
import { ClosableConnection } from '../../src/temporal/connection.js';
import { findSchedule, pauseSchedule } from '../../src/schedules/operate.js';
import { startGrpcProxy, type GrpcProxy } from '../support/grpc-proxy.js';
import { CALM, useSchedules } from '../support/schedules.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const desk = useSchedules(temporal);
let proxy: GrpcProxy | undefined;
afterEach(async () => {
  desk.env['TEMPORAL_ADDRESS'] = temporal.address;
  await proxy?.close();
});

describe('a refusal about a schedule', () => {
  it.each([
    [1, 'ServerUnreachable'],
    [4, 'ServerUnreachable'],
    [8, 'ServerUnreachable'],
    [13, 'ServerUnreachable'],
    [14, 'ServerUnreachable'],
    [7, 'AccessDenied'],
    [16, 'AccessDenied'],
    [9, 'ScheduleChangedMeanwhile'],
    [3, 'ScheduleRejected'],
  ])('with the gRPC status %i is %s', async (status, name) => {
    proxy = await startGrpcProxy(temporal.address, (method) => (method === 'DescribeSchedule' ? status : null));
    // No interceptors: without the SDK's own retries.
    const connection = await ClosableConnection.connect({ address: proxy.address, interceptors: [] });
    await expect(findSchedule(new Client({ connection }), 'a/b')).rejects.toMatchObject({ name });
    await connection.close();
  });

  it('that was deleted meanwhile is ScheduleNotFound', async () => {
    const owner = desk.newOwner();
    await desk.apply(await desk.file(owner, { nightly: CALM }));
    const found = await findSchedule(temporal.client, `${owner}/nightly`);
    await temporal.client.schedule.getHandle(found.id).delete();
    await expect(pauseSchedule(temporal.client, found, 'x')).rejects.toMatchObject({ name: 'ScheduleNotFound' });
  });
});

describe('apply', () => {
  it('ends with 2 and the reason when the credentials are refused', async () => {
    const file = await desk.file(desk.newOwner(), { nightly: CALM });
    proxy = await startGrpcProxy(temporal.address, (method) => (method === 'DescribeSchedule' ? 7 : null));
    desk.env['TEMPORAL_ADDRESS'] = proxy.address;
    const { exitCode, stderr } = await desk.run('apply', file);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2 });
    expect(stderr).toContain('refuses the credentials');
  });

  it('reports what it applied and warns of clock changes, even if the server answers nothing afterwards', async () => {
    const owner = desk.newOwner();
    const file = await desk.file(owner, { nightly: { ...CALM, cron: '30 2 * * *' } });
    let reads = 0;
    // One read to compare, one to verify.
    proxy = await startGrpcProxy(temporal.address, (method) =>
      method === 'DescribeSchedule' && ++reads > 2 ? 7 : null,
    );
    desk.env['TEMPORAL_ADDRESS'] = proxy.address;
    const { exitCode, stdout, stderr } = await desk.run('apply', file);
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain(`${owner}/nightly  created`);
    expect(stderr).toMatch(new RegExp(`! ${owner}/nightly: \\d{4}-03-\\d\\d 02:30 does not exist in Europe/Berlin`));
  });
});
