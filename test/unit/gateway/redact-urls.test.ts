/** Links in messages are never kept: neither in text for logs nor in what a rule receives. */
import { expect, it } from 'vitest';
import type { Alarm } from '../../../src/domain/alarms/alarm.js';
import { routeToRules } from '../../../src/gateway/route-alarm.js';
import { redactUrls } from '../../../src/gateway/senders/alarm-values.js';

const LINK = 'https://console.huaweicloud.com/smn/subscription/confirm?token=t0ken&topic_urn=urn:smn:x';

it.each([
  ['nothing here: 3 of 4 alerts left out (a/b)', 'nothing here: 3 of 4 alerts left out (a/b)'],
  [`click ${LINK} now`, 'click <url> now'],
  [`(${LINK})`, '(<url>'],
  [`点击${LINK}`, '点击<url>'],
  [`_${LINK.toUpperCase()}`, '_<url>'],
  [`{"link":"${LINK.replaceAll('/', '\\/')}"}`, '{"link":"<url>'],
  [
    'console.huaweicloud.com/smn/unsubscribe?subscription_urn=urn:smn:x',
    'console.huaweicloud.com/smn/unsubscribe<cut>',
  ],
  ['the token=t0ken&a', 'the <cut>'],
  ['hxxps://user:t0ken@host/', '<url>'],
])('%s', (text, kept) => {
  expect(redactUrls(text)).toBe(kept);
});

it.each(['a', 'a:', 'a?', 'http:/', '?a', 'token'])('comes to an end with %s over and over', (text) => {
  expect(redactUrls(text.repeat(200_000)).length).toBeGreaterThan(0);
});

it('a rule receives no link, and still distinguishes firings whose ids hold one', () => {
  const alarm: Alarm = {
    sender: 'prod',
    name: `cpu ${LINK}`,
    status: 'firing',
    episode: `${LINK} 1`,
    incident: LINK,
    atMs: 1,
    labels: { alertname: 'cpu', link: LINK },
    summary: `high, see ${LINK}`,
  };
  const routed = (change: Partial<Alarm>) =>
    routeToRules({ ...alarm, ...change }, { owner: 'o', rules: [], receivedAtMs: 2 })[0].alarm;
  // The incident is compared, and shown nowhere.
  expect(JSON.stringify({ ...routed({}), incident: '' })).not.toMatch(/t0ken|huaweicloud/);
  expect(routed({})).toMatchObject({ name: 'cpu <url>', summary: 'high, see <url>' });
  expect(routed({ episode: `${LINK} 2` }).episode).not.toBe(routed({}).episode);
  expect(routed({ episode: 'plain 1' }).episode).toBe('plain 1');
});
