/** Links of messages are kept nowhere: neither in text for logs nor in what a rule is told. */
import { expect, it } from 'vitest';
import type { Alarm } from '../../../src/domain/alarms/alarm.js';
import { toldToRules } from '../../../src/gateway/told-to-rule.js';
import { withoutUrls } from '../../../src/gateway/without-urls.js';

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
  expect(withoutUrls(text)).toBe(kept);
});

it.each(['a', 'a:', 'a?', 'http:/', '?a', 'token'])('comes to an end with %s over and over', (text) => {
  expect(withoutUrls(text.repeat(200_000)).length).toBeGreaterThan(0);
});

it('a rule is told no link, and still tells one episode from another', () => {
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
  const tell = (change: Partial<Alarm>) =>
    toldToRules({ ...alarm, ...change }, { owner: 'o', rules: [], receivedAtMs: 2 })[0].told;
  // The incident is compared, and shown nowhere.
  expect(JSON.stringify({ ...tell({}), incident: '' })).not.toMatch(/t0ken|huaweicloud/);
  expect(tell({})).toMatchObject({ name: 'cpu <url>', summary: 'high, see <url>' });
  expect(tell({ episode: `${LINK} 2` }).episode).not.toBe(tell({}).episode);
  expect(tell({ episode: 'plain 1' }).episode).toBe('plain 1');
});
