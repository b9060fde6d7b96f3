/** When temporary keys are renewed: hours in virtual time, with a service that fails as it likes. */
import { describe, expect, it } from 'vitest';
import { AgencyKey } from '../../../src/servicestage/agency-key.js';
import { ServiceStageError } from '../../../src/servicestage/errors.js';
import { afterFailure, afterRenewal, NO_KEY, renewalStep } from '../../../src/servicestage/key-renewal.js';
import { Secret } from '../../../src/servicestage/secret.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const START_MS = Date.UTC(2026, 10, 30, 8);

describe('the rules', () => {
  const state = afterRenewal(START_MS + HOUR_MS, START_MS, 0);

  it.each([
    [0, 'use'],
    [52 * MINUTE_MS - 1, 'use'],
    [52 * MINUTE_MS, 'renewBeside'],
    [HOUR_MS - 30_001, 'renewBeside'],
    [HOUR_MS - 30_000, 'renewFirst'],
    [HOUR_MS, 'renewFirst'],
  ])('a key of an hour, %i ms old: %s', (ageMs, step) => {
    expect(renewalStep(state, START_MS + ageMs)).toBe(step);
  });

  it('spread the processes over four minutes, all after the service has new keys', () => {
    const leads = [0, 0.5, 1].map((chance) => {
      const { key } = afterRenewal(START_MS + HOUR_MS, START_MS, chance);
      return START_MS + HOUR_MS - (key?.renewAtMs ?? 0);
    });
    expect(leads).toEqual([8, 6, 4].map((minutes) => minutes * MINUTE_MS));
  });

  it('ask again in half of the time that is left where the service has no newer key yet, but not all the time', () => {
    const at = (leftMs: number) => (afterRenewal(START_MS + leftMs, START_MS, 0).key?.renewAtMs ?? 0) - START_MS;
    expect([8 * MINUTE_MS, MINUTE_MS, 10_000].map(at)).toEqual([4 * MINUTE_MS, 30_000, 15_000]);
  });

  it('ask again after a day, whatever the service claims', () => {
    expect(afterRenewal(START_MS + 1e12, START_MS, 0).key?.expiresAtMs).toBe(START_MS + 24 * HOUR_MS);
  });

  it('pause longer with each failure, at most a minute while a key works, and five seconds while none does', () => {
    const pauses = (first: typeof NO_KEY, count: number) => {
      const found: number[] = [];
      for (let [at, nth] = [first, 0]; nth < count; nth++) {
        at = afterFailure(at, START_MS, 1);
        found.push(at.nextTryAtMs - START_MS);
      }
      return found;
    };
    expect(pauses(state, 8)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(pauses(NO_KEY, 5)).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
  });
});

/** A metadata service with keys of an hour, replaced ten minutes before; it answers while `works`. */
function service() {
  const clock = { nowMs: START_MS };
  const facts = { works: true, fetches: 0, hangs: false };
  let current = { id: 0, expiresAtMs: 0 };
  const fetchKey = async () => {
    facts.fetches++;
    if (facts.hangs) await new Promise(() => {});
    if (!facts.works)
      throw new ServiceStageError({ code: 'Unreachable', sent: 'no', method: 'GET', path: '/', reason: 'down' });
    if (current.expiresAtMs - clock.nowMs <= 10 * MINUTE_MS)
      current = { id: current.id + 1, expiresAtMs: clock.nowMs + HOUR_MS };
    const { id, expiresAtMs } = current;
    return { accessKey: `AK${id}`, secretKey: new Secret('s'), securityToken: new Secret('t'), expiresAtMs };
  };
  const key = new AgencyKey({ fetchKey, nowMs: () => clock.nowMs, chance: () => 0.5 });
  /** What a request at that time signs with, or why it cannot be made. */
  const use = async () => {
    try {
      await key.ready(1_000);
      return key.current().accessKey;
    } catch (error) {
      return error instanceof ServiceStageError ? error.code : String(error);
    }
  };
  return { clock, facts, key, use };
}

it('a day of requests each ten seconds never waits without a key, and asks about once an hour', async () => {
  const { clock, facts, use } = service();
  const keys = new Set<string>();
  for (let second = 0; second < 86_400; second += 10) {
    clock.nowMs = START_MS + second * 1_000;
    keys.add(await use());
    // A renewal beside a request ends before the next one.
    await Promise.resolve();
  }
  expect([...keys].every((name) => name.startsWith('AK'))).toBe(true);
  expect(keys.size).toBe(27);
  expect(facts.fetches).toBe(27);
});

it('a service that is down from before the renewal to the end of the key: every request until then is signed', async () => {
  const { clock, facts, use } = service();
  await use();
  facts.works = false;
  const seen: string[] = [];
  for (let second = 0; second < 3_660; second += 5) {
    clock.nowMs = START_MS + second * 1_000;
    seen.push(await use());
  }
  expect(seen.filter((name) => name === 'AK1')).toHaveLength(720);
  expect(new Set(seen.slice(720))).toEqual(new Set(['Unreachable']));
  expect(facts.fetches).toBeLessThan(40);
  facts.works = true;
  clock.nowMs += 5_000;
  expect(await use()).toBe('AK2');
});

it('a service that hangs while a key is renewed early does not hold up requests', async () => {
  const { clock, facts, use } = service();
  await use();
  facts.hangs = true;
  clock.nowMs += 58 * MINUTE_MS;
  expect(await use()).toBe('AK1');
  expect(await use()).toBe('AK1');
  expect(facts.fetches).toBe(2);
});

it('a key that the API refuses is replaced at once; if the service has no other, the refusal counts', async () => {
  const { clock, facts, key, use } = service();
  await use();
  clock.nowMs += 1_000;
  expect(key.refused(clock.nowMs)).toBe(true);
  expect(await use()).toBe('AK1');
  expect(facts.fetches).toBe(2);
  expect(key.refused(clock.nowMs)).toBe(false);
});

it('a refusal of a key that has been replaced since means nothing', async () => {
  const { clock, facts, key, use } = service();
  await use();
  const sentAtMs = clock.nowMs;
  clock.nowMs += HOUR_MS;
  expect(await use()).toBe('AK2');
  expect(key.refused(sentAtMs)).toBe(true);
  await use();
  expect(facts.fetches).toBe(2);
});
