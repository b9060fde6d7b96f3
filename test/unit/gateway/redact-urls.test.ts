/** Links in messages never reach a log. */
import { expect, it } from 'vitest';
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

it.each(['a', 'a:', 'a?', 'http:/', '?a', 'token'])('finishes quickly for many repetitions of %s', (text) => {
  expect(redactUrls(text.repeat(200_000)).length).toBeGreaterThan(0);
});
