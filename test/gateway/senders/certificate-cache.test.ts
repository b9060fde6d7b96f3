/**
 * Downloaded certificates and a flood of invented names: fetched certificates stay, and the flood causes few downloads.
 */
import { describe, expect, it } from 'vitest';
import { CertificateCache } from '../../../src/gateway/senders/certificate-cache.js';
import { selfSignedRsa } from '../../servicestage/self-signed.js';
import { alarmsIn, CERTIFICATE_URL, NOW_MS } from './deliveries.js';
import { notification, senderWith, SMN } from './smn-sender.js';

const { cert: PEM } = selfSignedRsa();
const DAY_MS = 24 * 3_600_000;
const urlOf = (name: number | string) => new URL(`https://smn.example/${name}.pem`);
const GOOD = urlOf('good');

function counted(fetch: (url: URL) => Promise<string>) {
  const asked: string[] = [];
  const cache = new CertificateCache((url) => {
    asked.push(url.pathname);
    return fetch(url);
  });
  return { cache, asked };
}

/** Only the good one is there. */
const oneOnly = (url: URL) => (url.href === GOOD.href ? Promise.resolve(PEM) : Promise.reject(new Error('404')));

async function invent(cache: CertificateCache, count: number, nowMs: number, from = 0): Promise<void> {
  for (let index = from; index < from + count; index++)
    await expect(cache.get(urlOf(index), nowMs)).rejects.toThrow(/404|too many/);
}

describe('a certificate', () => {
  it('is fetched once for all who wait, and once a day', async () => {
    const { cache, asked } = counted(async () => PEM);
    await Promise.all(Array.from({ length: 20 }, () => cache.get(GOOD, NOW_MS)));
    await cache.get(GOOD, NOW_MS + 23 * 3_600_000);
    expect(asked).toHaveLength(1);
    await cache.get(GOOD, NOW_MS + DAY_MS);
    await cache.get(GOOD, NOW_MS + DAY_MS);
    expect(asked).toHaveLength(2);
  });

  it('that cannot be fetched again is used for a week, and tried each 30 s', async () => {
    let isDown = false;
    const { cache, asked } = counted(async () => {
      if (isDown) throw new Error('down');
      return PEM;
    });
    const first = await cache.get(GOOD, NOW_MS);
    isDown = true;
    for (const laterMs of [DAY_MS, DAY_MS + 29_000, DAY_MS + 30_000, 7 * DAY_MS - 1]) {
      expect(await cache.get(GOOD, NOW_MS + laterMs)).toBe(first);
      await new Promise(setImmediate);
    }
    expect(asked).toHaveLength(4);
    await expect(cache.get(GOOD, NOW_MS + 7 * DAY_MS + 30_000)).rejects.toThrow('down');
  });

  it('that failed is not fetched again for 30 s, and fails for all who wait', async () => {
    let isDown = true;
    const { cache, asked } = counted(async () => {
      if (isDown) throw new Error('down');
      return PEM;
    });
    const answers = await Promise.allSettled([cache.get(GOOD, NOW_MS), cache.get(GOOD, NOW_MS)]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isDown = false;
    await expect(cache.get(GOOD, NOW_MS + 29_000)).rejects.toThrow('down');
    expect(asked).toHaveLength(1);
    await cache.get(GOOD, NOW_MS + 30_000);
  });

  it('that is not a certificate counts as failed', async () => {
    const { cache, asked } = counted(async () => '<html>');
    for (const offset of [0, 1_000])
      await expect(cache.get(GOOD, NOW_MS + offset)).rejects.toThrow('not a PEM certificate');
    expect(asked).toHaveLength(1);
  });
});

describe('invented names', () => {
  it('do not keep out a certificate that was never fetched', async () => {
    const { cache } = counted(oneOnly);
    await invent(cache, 39, NOW_MS);
    await cache.get(GOOD, NOW_MS);
    await invent(cache, 100, NOW_MS);
    expect((await cache.get(GOOD, NOW_MS)).validToMs).toBeGreaterThan(0);
  });

  it('that used all downloads keep it out for less than a second', async () => {
    const { cache } = counted(oneOnly);
    await invent(cache, 1_000, NOW_MS);
    await expect(cache.get(GOOD, NOW_MS)).rejects.toThrow('too many certificates');
    await cache.get(GOOD, NOW_MS + 200);
  });

  it('cause 40 downloads and five a second, however many there are', async () => {
    const { cache, asked } = counted(oneOnly);
    for (let second = 0; second <= 10; second++) await invent(cache, 200, NOW_MS + second * 1_000, second * 200);
    expect(asked).toHaveLength(40 + 10 * 5);
  });

  it('do not push out one that was fetched, nor keep it from being fetched again', async () => {
    const { cache, asked } = counted(oneOnly);
    await cache.get(GOOD, NOW_MS);
    for (let day = 1; day <= 20; day++) {
      const nowMs = NOW_MS + day * DAY_MS;
      await invent(cache, 500, nowMs, day * 500);
      await cache.get(GOOD, nowMs);
    }
    expect(asked.filter((path) => path === GOOD.pathname)).toHaveLength(21);
  });

  it('before a real message do not keep out its alarm', async () => {
    const { read } = senderWith({}, (url) => (url.href === CERTIFICATE_URL ? Promise.resolve(SMN.cert) : oneOnly(url)));
    for (let index = 0; index < 35; index++) {
      const name = index.toString(16).padStart(32, '0');
      const url = `https://smn.cn-north-4.myhuaweicloud.com/smn/SMN_cn-north-4_${name}.pem`;
      expect((await read(notification({ signing_cert_url: url }))).kind).toBe('unavailable');
    }
    expect(alarmsIn(await read(notification()))).toHaveLength(1);
  });
});
