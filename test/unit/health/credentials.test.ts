/** Whether the credentials are good is learned from the work of the worker; ServiceStage is asked for it seldom. Virtual time. */
import { describe, expect, it } from 'vitest';
import { CredentialsWatch, type CredentialsAnswer } from '../../../src/health/credentials.js';

const MINUTE_MS = 60_000;

function watching() {
  let nowMs = 0;
  let asked = 0;
  let answer: CredentialsAnswer = 'accepted';
  const watch = new CredentialsWatch(
    async () => {
      asked++;
      return answer;
    },
    () => nowMs,
  );
  return {
    watch,
    asked: () => asked,
    answers: (next: CredentialsAnswer) => void (answer = next),
    /** Reads it each second for that long. */
    verdict: async (forMs = 0) => {
      let newest = await watch.verdict();
      for (let ms = 0; ms < forMs; ms += 1_000) {
        nowMs += 1_000;
        newest = await watch.verdict();
      }
      return newest;
    },
  };
}

const works = { kind: 'instance', status: '200' };
const refused = { kind: 'instance', status: '403' };

describe('credentials', () => {
  it('are asked about once at the start, and then every ten minutes without work', async () => {
    const { verdict, asked } = watching();
    expect(await verdict()).toEqual({ ok: true, reason: 'ServiceStage accepts them' });
    await verdict(9 * MINUTE_MS);
    expect(asked()).toBe(1);
    await verdict(2 * MINUTE_MS);
    expect(asked()).toBe(2);
  });

  it('that are replaced during a question are asked about again: its answer is about the old ones', async () => {
    const answers: ((answer: CredentialsAnswer) => void)[] = [];
    const watch = new CredentialsWatch(
      () => new Promise((resolve) => void answers.push(resolve)),
      () => 0,
    );
    const first = watch.verdict();
    watch.replaced();
    answers[0]?.('accepted');
    expect(await first).toMatchObject({ ok: false });
    const second = watch.verdict();
    answers[1]?.({ refused: '401' });
    expect(await second).toEqual({ ok: false, reason: 'ServiceStage refuses them: 401' });
  });

  it('that were replaced are asked about at the next probe, and are not good if they are refused', async () => {
    const { watch, verdict, asked, answers } = watching();
    await verdict(MINUTE_MS);
    watch.replaced();
    expect(await verdict(MINUTE_MS)).toEqual({ ok: true, reason: 'ServiceStage accepts them' });
    expect(asked()).toBe(2);
    watch.replaced();
    answers({ refused: '401' });
    expect(await verdict()).toEqual({ ok: false, reason: 'ServiceStage refuses them: 401' });
    // A correction does not wait until a refused key is tried again.
    watch.replaced();
    answers('accepted');
    expect(await verdict()).toMatchObject({ ok: true });
  });

  it('are not asked about while the worker works', async () => {
    const { watch, verdict, asked } = watching();
    for (let minute = 0; minute < 60; minute++) {
      watch.called(works);
      expect((await verdict(MINUTE_MS)).ok).toBe(true);
    }
    expect(asked()).toBe(0);
  });

  it('that are refused are asked about once a minute, and are good again once they are accepted', async () => {
    const { watch, verdict, asked, answers } = watching();
    await verdict();
    answers({ refused: 'GET /x: 401' });
    watch.called(refused);
    expect(await verdict(MINUTE_MS)).toEqual({ ok: false, reason: 'ServiceStage refuses them: GET /x: 401' });
    await verdict(9 * MINUTE_MS);
    expect(asked()).toBe(11);
    watch.called(works);
    expect((await verdict()).ok).toBe(true);
  });

  it('stay good if only what was asked for was refused', async () => {
    const { watch, verdict } = watching();
    await verdict();
    watch.called(refused);
    expect((await verdict(MINUTE_MS)).ok).toBe(true);
  });

  it('are not known while no one answers, unless they were accepted before', async () => {
    const first = watching();
    first.answers({ unanswered: 'connect ECONNREFUSED' });
    expect(await first.verdict()).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^not known, because ServiceStage does not answer/),
    });
    expect(first.asked()).toBe(1);
    const later = watching();
    await later.verdict();
    later.answers({ unanswered: 'connect ECONNREFUSED' });
    expect(await later.verdict(11 * MINUTE_MS)).toMatchObject({
      ok: true,
      reason: expect.stringMatching(/^ServiceStage accepted them before/),
    });
  });

  it('are not proved by a token of IAM', async () => {
    const { watch, verdict, answers } = watching();
    answers({ unanswered: 'away' });
    watch.called({ kind: 'token', status: '201' });
    expect((await verdict()).ok).toBe(false);
  });
});
