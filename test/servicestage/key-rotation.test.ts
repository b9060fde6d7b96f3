/** An access key in files is replaced while requests are made: a rehearsal against the simulator, in the right order and in the wrong one. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { loadConfig } from '../../src/config/config.js';
import { createServiceStage } from '../../src/servicestage/service-stage-client.js';
import { startSimulator } from '../../src/simulator/server.js';
import { controlOf } from '../support/simulator.js';
import { failureOf, post, READ, targetIn } from './client.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Time passes, so that the next use reads the files again. */
const later = (ms = 1_000) => vi.advanceTimersByTime(ms);

/** A simulator, and a client whose access key is in files. */
async function rehearsal() {
  const folder = await mkdtemp(join(tmpdir(), 'rotation-'));
  const simulator = await startSimulator();
  onTestFinished(async () => {
    await simulator.close();
    await rm(folder, { recursive: true });
  });
  const write = (name: 'ak' | 'sk', text: string) => writeFile(join(folder, name), text);
  await write('ak', simulator.accessKey);
  await write('sk', simulator.secretKey);
  const { serviceStage } = loadConfig({
    HOME: folder,
    SERVICESTAGE_ENDPOINT: simulator.url,
    HUAWEICLOUD_SDK_PROJECT_ID: simulator.projectId,
    HUAWEICLOUD_SDK_IAM_ENDPOINT: simulator.url,
    HUAWEICLOUD_SDK_AK_FILE: join(folder, 'ak'),
    HUAWEICLOUD_SDK_SK_FILE: join(folder, 'sk'),
    SERVICESTAGE_REQUESTS_PER_SECOND: '1000',
    SERVICESTAGE_BURST: '1000',
  });
  const client = createServiceStage(serviceStage);
  const target = targetIn(simulator, 'shop/checkout/prod-1');
  const control = controlOf(simulator);
  return {
    control,
    simulator,
    write,
    read: () => client.readInstance(target, READ),
    restart: () => post(client, { target }),
    accepted: async () => (await control.accepted(target.instanceId)).map(({ action }) => action),
    refused: async () => Object.entries((await control.requests()).counts).filter(([what]) => what.endsWith(' 401')),
  };
}

it('the new key first: nothing is refused, though the files are replaced one after the other', async () => {
  const { control, simulator, write, read, restart, refused, accepted } = await rehearsal();
  await read();
  const { accessKey, secretKey } = await control.createKey();
  await write('ak', accessKey);
  for (let request = 0; request < 8; request++) {
    later();
    await read();
  }
  await write('sk', secretKey);
  later();
  await read();
  await control.deleteKey(simulator.accessKey);
  await restart();
  expect(await refused()).toEqual([]);
  expect(await accepted()).toEqual(['restart']);
});

it('the old key first: reads and a POST are refused before anything is sent, until the files have the new key', async () => {
  const { control, simulator, write, read, restart, refused, accepted } = await rehearsal();
  await read();
  const { accessKey, secretKey } = await control.createKey();
  await control.deleteKey(simulator.accessKey);
  // Some twenty polls of a worker: the lock that follows concerns the key that was deleted.
  for (let request = 0; request < 20; request++)
    expect(await failureOf(read())).toMatchObject({ code: 'NotAllowed', httpStatus: 401 });
  expect(await failureOf(restart())).toMatchObject({ code: 'NotAllowed', sent: 'no' });
  expect(await accepted()).toEqual([]);
  await write('ak', accessKey);
  await write('sk', secretKey);
  // The files were read within the last second: the refusal has them read again, and the read is repeated.
  await read();
  await restart();
  expect(await accepted()).toEqual(['restart']);
  expect(await refused()).toEqual([
    ['instance 401', 21],
    ['action 401', 1],
  ]);
});
