/** The secrets of senders are read again when their files change; a delivery never waits long for it. */
import { expect, it } from 'vitest';
import { FollowedSenders } from '../../../src/gateway/followed-senders.js';
import type { SenderSettings } from '../../../src/gateway/senders/sender.js';

function setup() {
  const clock = { nowMs: 1_000_000 };
  const log: string[] = [];
  const write = ({ what }: { what?: string }, text: string) =>
    void log.push(what === undefined ? text : `${text}: ${what}`);
  const state: { answer: () => Promise<SenderSettings | string>; reads: number } = {
    answer: async () => of('one'),
    reads: 0,
  };
  const of = (token: string): SenderSettings => ({ kind: 'bearer', tokens: [token.padEnd(20, '-')] });
  const readAgain = () => {
    state.reads++;
    return state.answer();
  };
  const senders = new FollowedSenders([{ name: 'ops', settings: of('one'), readAgain }], {
    log: { info: write as never, warn: write as never },
    nowMs: () => clock.nowMs,
  });
  const admits = (token: string) =>
    senders.get('ops')?.admits({ authorization: `Bearer ${token.padEnd(20, '-')}` }) === null;
  return { clock, log, state, of, senders, admits };
}

it('a new token counts from the next delivery on that is a second later, and the old one no longer', async () => {
  const { clock, log, state, of, senders, admits } = setup();
  state.answer = async () => of('two');
  await senders.refresh();
  expect([admits('one'), admits('two'), state.reads]).toEqual([true, false, 0]);
  clock.nowMs += 1_000;
  await Promise.all([senders.refresh(), senders.refresh()]);
  expect([admits('one'), admits('two'), state.reads]).toEqual([false, true, 1]);
  expect(log).toEqual(['secrets of a sender read again: they have changed']);
});

it('a file that cannot be read keeps the tokens of before, and is logged once, as is its return', async () => {
  const { clock, log, state, of, senders, admits } = setup();
  state.answer = async () => 'tokenFiles.0: the file named here is empty';
  for (let check = 0; check < 3; check++) {
    clock.nowMs += 1_000;
    await senders.refresh();
  }
  expect(admits('one')).toBe(true);
  state.answer = async () => of('one');
  for (let check = 0; check < 2; check++) {
    clock.nowMs += 1_000;
    await senders.refresh();
  }
  expect(log).toEqual([
    'secrets of a sender not read again; those of before count: tokenFiles.0: the file named here is empty',
    'secrets of a sender can be read again: they have not changed',
  ]);
});

it('a file system that does not answer does not hold up deliveries', async () => {
  const { clock, state, senders, admits } = setup();
  state.answer = () => new Promise(() => {});
  clock.nowMs += 1_000;
  await senders.refresh();
  expect(admits('one')).toBe(true);
});
