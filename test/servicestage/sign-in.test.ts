/** Tokens that expire, passwords that are wrong, keys whose clock is off: what is asked again, what is not, and when. */
import { beforeEach, afterEach, describe, expect, it } from 'vitest';
import { startSimulator, type RunningSimulator } from '../../src/simulator/server.js';
import { controlOf, type Control } from '../support/simulator.js';
import { accessKeyOf, clientOfSimulator, failureOf, passwordOf, post, READ, targetIn, tokenOf } from './client.js';

let simulator: RunningSimulator;
let control: Control;
beforeEach(async () => {
  simulator = await startSimulator();
  control = controlOf(simulator);
});
afterEach(() => simulator.close());

const limits = { budgetWaitMs: 1_000, credentialsWaitMs: 1_000 };
const asked = async (answer: string) => (await control.requests()).counts[answer] ?? 0;
const targetOf = () => targetIn(simulator, 'shop/checkout/prod-1');

describe('a token that was fetched', () => {
  it('is fetched once, however many wait for it', async () => {
    const client = clientOfSimulator(simulator, passwordOf(simulator));
    const target = targetOf();
    await Promise.all([
      ...Array.from({ length: 20 }, () => client.readInstance(target, READ)),
      client.ownUserId(READ),
      client.reservePost(limits),
    ]);
    expect(await asked('token 201')).toBe(1);
  });

  it('is renewed once when it expires under many reads, and every read gets its answer', async () => {
    const client = clientOfSimulator(simulator, passwordOf(simulator));
    const target = targetOf();
    await client.readInstance(target, READ);
    await control.expireTokens();
    const readings = await Promise.all(Array.from({ length: 20 }, () => client.readInstance(target, READ)));
    expect(readings.every(({ status }) => status === 'RUNNING')).toBe(true);
    expect(await asked('token 201')).toBe(2);
  });

  it('that expires under a POST ends it unsent, and the next POST goes out with a new one', async () => {
    const client = clientOfSimulator(simulator, passwordOf(simulator));
    const target = targetOf();
    const reservation = await client.reservePost(limits);
    await control.expireTokens();
    const error = await failureOf(reservation.submitAction(target, { action: 'restart' }, { timeoutMs: 1_000 }));
    expect(error).toMatchObject({ code: 'TokenExpired', sent: 'no' });
    expect(await asked('action 401')).toBe(1);
    expect(await control.accepted()).toEqual([]);
    await post(client, { target });
    expect(await control.accepted()).toHaveLength(1);
  });

  it('that expires between the reservation and the POST, noticed by a read, does not spoil the POST', async () => {
    const client = clientOfSimulator(simulator, passwordOf(simulator));
    const target = targetOf();
    const reservation = await client.reservePost(limits);
    await control.expireTokens();
    await client.readInstance(target, READ);
    await reservation.submitAction(target, { action: 'restart' }, { timeoutMs: 1_000 });
    expect(await control.accepted()).toHaveLength(1);
  });

  it('a read whose new token is refused as well is not asked a third time', async () => {
    const client = clientOfSimulator(simulator, passwordOf(simulator));
    await control.fault({ on: { route: 'instance' }, times: 5, fault: { kind: 'tokenExpired' } });
    const error = await failureOf(client.readInstance(targetOf(), READ));
    expect(error).toMatchObject({ code: 'TokenExpired', sent: 'no' });
    expect(await asked('instance 401')).toBe(2);
  });
});

it('a ready-made token that has expired is NotAllowed, asked once', async () => {
  const client = clientOfSimulator(simulator, tokenOf(simulator));
  await control.expireTokens();
  expect(await failureOf(client.readInstance(targetOf(), READ))).toMatchObject({ code: 'NotAllowed', sent: 'no' });
  expect(await failureOf(post(client, { target: targetOf() }))).toMatchObject({ code: 'NotAllowed', sent: 'no' });
  expect(await asked('instance 401')).toBe(1);
  expect(await asked('action 401')).toBe(1);
});

describe('IAM', () => {
  it('is not asked again in a storm after it refused a password', async () => {
    const client = clientOfSimulator(simulator, passwordOf({ ...simulator, iamPassword: 'wrong' }));
    for (let round = 0; round < 5; round++) {
      expect(await failureOf(client.readInstance(targetOf(), READ))).toMatchObject({ code: 'NotAllowed', sent: 'no' });
      expect(await failureOf(client.reservePost(limits))).toMatchObject({ code: 'NotAllowed', sent: 'no' });
    }
    expect(await failureOf(client.ownUserId(READ))).toMatchObject({ code: 'NotAllowed' });
    expect(await asked('token 401')).toBe(1);
  });

  it.each([
    ['answers 400', { kind: 'status', status: 400 }, 'NotAllowed'],
    ['answers 404', { kind: 'status', status: 404 }, 'NotAllowed'],
    ['answers 409', { kind: 'status', status: 409 }, 'NotAllowed'],
    ['answers 500', { kind: 'status', status: 500 }, 'Unreachable'],
    ['answers 503 with HTML', { kind: 'status', status: 503, body: '<html>busy</html>' }, 'Unreachable'],
    ['redirects', { kind: 'redirect' }, 'Unreachable'],
    ['resets', { kind: 'reset' }, 'Unreachable'],
    ['hangs', { kind: 'hang', ms: 5_000 }, 'Unreachable'],
    ['answers 200 without a token', { kind: 'wrongBody' }, 'UnreadableAnswer'],
    ['answers 429', { kind: 'throttle' }, 'Throttled'],
  ])('that %s leaves the POST unsent', async (_name, fault, code) => {
    await control.fault({ on: { route: 'token' }, fault });
    const client = clientOfSimulator(simulator, passwordOf(simulator));
    const reserving = client.reservePost({ budgetWaitMs: 1_000, credentialsWaitMs: 200 });
    expect(await failureOf(reserving)).toMatchObject({ code, sent: 'no' });
    expect(await asked('token 201')).toBe(0);
  });

  it('that is slow only delays', async () => {
    await control.fault({ on: { route: 'token' }, fault: { kind: 'delay', ms: 50 } });
    const client = clientOfSimulator(simulator, passwordOf(simulator));
    expect((await client.readInstance(targetOf(), READ)).status).toBe('RUNNING');
  });
});

describe('an access key', () => {
  it('whose clock is off by more than 15 minutes is NotAllowed, unsent', async () => {
    const client = clientOfSimulator(simulator, accessKeyOf(simulator));
    await control.time({ advanceMs: 14 * 60_000 });
    expect((await client.readInstance(targetOf(), READ)).status).toBe('RUNNING');
    await control.time({ advanceMs: 2 * 60_000 });
    const error = await failureOf(post(client, { target: targetOf() }));
    expect(error).toMatchObject({ code: 'NotAllowed', sent: 'no', vendorCode: 'APIGW.0301' });
  });

  it('that is refused is not tried again by itself: five tries would lock it', async () => {
    const client = clientOfSimulator(simulator, accessKeyOf({ ...simulator, secretKey: 'wrong' }));
    expect(await failureOf(client.readInstance(targetOf(), READ))).toMatchObject({ code: 'NotAllowed', sent: 'no' });
    expect(await failureOf(post(client, { target: targetOf() }))).toMatchObject({ code: 'NotAllowed', sent: 'no' });
    expect((await control.requests()).requests).toHaveLength(2);
  });

  it('whose user may not be looked up leaves the user unknown', async () => {
    const client = clientOfSimulator(simulator, accessKeyOf(simulator));
    await control.fault({ on: { route: 'credential' }, fault: { kind: 'status', status: 403 } });
    expect(await client.ownUserId(READ)).toBeNull();
  });

  it('whose user is answered with nonsense decides nothing, and the error does not hold the key', async () => {
    const client = clientOfSimulator(simulator, accessKeyOf(simulator));
    await control.fault({ on: { route: 'credential' }, fault: { kind: 'wrongBody' } });
    const error = await failureOf(client.ownUserId(READ));
    expect(error).toMatchObject({ code: 'UnreadableAnswer', sent: 'no' });
    expect(error.message).not.toContain(simulator.accessKey);
  });

  it('whose user cannot be looked up for a moment decides nothing, and the next question asks again', async () => {
    const client = clientOfSimulator(simulator, accessKeyOf(simulator));
    await control.fault({ on: { route: 'credential' }, fault: { kind: 'reset' } });
    const error = await failureOf(client.ownUserId(READ));
    expect(error).toMatchObject({ code: 'Unreachable' });
    expect(error.message).not.toContain(simulator.accessKey);
    expect(await client.ownUserId(READ)).toBe(simulator.userId);
    expect(await client.ownUserId(READ)).toBe(simulator.userId);
    expect(await asked('credential 200')).toBe(1);
  });
});
