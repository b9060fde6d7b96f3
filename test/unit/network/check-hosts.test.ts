/** Which hosts and addresses a check may reach. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKind } from '../../../src/network/addresses.js';
import { allowedHost } from '../../../src/network/allowed-hosts.js';
import { createCheckClient } from '../../../src/network/check-client.js';
import { noProxies } from '../../../src/network/proxies.js';

describe('addressKind', () => {
  it.each([
    ['8.8.8.8', 'public'],
    ['2606:4700::1111', 'public'],
    ['::ffff:8.8.8.8', 'public'],
    ['127.0.0.1', 'private'],
    ['127.1.2.3', 'private'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['100.128.0.1', 'public'],
    ['::1', 'private'],
    ['fd12:3456::1', 'private'],
    ['::ffff:127.0.0.1', 'private'],
    ['::ffff:7f00:1', 'private'],
    ['0:0:0:0:0:ffff:10.0.0.1', 'private'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['2002:a00:1::', 'private'],
    ['169.254.169.254', 'never'],
    ['::ffff:169.254.169.254', 'never'],
    ['::ffff:a9fe:a9fe', 'never'],
    ['::ffff:0:a9fe:a9fe', 'never'],
    ['64:ff9b::a9fe:a9fe', 'never'],
    ['2002:a9fe:a9fe::1', 'never'],
    ['100.100.100.200', 'never'],
    ['fd00:ec2::254', 'never'],
    ['fe80::1', 'never'],
    ['fe80::1%eth0', 'never'],
    ['0.0.0.0', 'never'],
    ['::', 'never'],
    ['::127.0.0.1', 'never'],
    ['224.0.0.1', 'never'],
    ['255.255.255.255', 'never'],
    ['ff02::1', 'never'],
    ['2001:0:1::1', 'never'],
    ['shop.example.com', 'never'],
    ['', 'never'],
  ])('%s is %s', (address, kind) => expect(addressKind(address)).toBe(kind));

  it('judges an IPv4 address the same within any IPv6 address that reaches it', () => {
    const hex = (high: number, low: number) => (high * 256 + low).toString(16);
    fc.assert(
      fc.property(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255), (a, b, c, d) => {
        const plain = addressKind(`${a}.${b}.${c}.${d}`);
        expect(addressKind(`::ffff:${a}.${b}.${c}.${d}`)).toBe(plain);
        expect(addressKind(`::ffff:${hex(a, b)}:${hex(c, d)}`)).toBe(plain);
        expect(addressKind(`64:ff9b::${hex(a, b)}:${hex(c, d)}`)).toBe(plain);
        expect(addressKind(`2002:${hex(a, b)}:${hex(c, d)}::1`)).toBe(plain);
      }),
    );
  });
});

describe('allowedHost', () => {
  const allows = (entry: string, url: string) => allowedHost(entry)?.(new URL(url));

  it.each<[string, string, boolean]>([
    ['shop.example.com', 'https://shop.example.com/health', true],
    ['shop.example.com', 'http://SHOP.example.com./', true],
    ['Shop.Example.com', 'https://shop.example.com:443/', true],
    ['shop.example.com', 'https://shop.example.com:8443/', false],
    ['shop.example.com:8443', 'https://shop.example.com:8443/', true],
    ['shop.example.com:443', 'https://shop.example.com/', true],
    ['shop.example.com:443', 'http://shop.example.com/', false],
    ['shop.example.com', 'https://evil.shop.example.com/', false],
    ['shop.example.com', 'https://shop.example.com.evil.example/', false],
    ['*.example.com', 'https://shop.example.com/', true],
    ['*.example.com', 'https://a.b.example.com/', true],
    ['*.example.com', 'https://example.com/', false],
    ['*.example.com', 'https://evilexample.com/', false],
    ['bücher.example', 'https://xn--bcher-kva.example/', true],
    ['127.0.0.1:8080', 'http://0x7f.1:8080/', true],
    ['[::1]:8080', 'http://[0:0::1]:8080/', true],
  ])('%s and %s: %s', (entry, url, isAllowed) => expect(allows(entry, url)).toBe(isAllowed));

  it.each([
    '*',
    '*.',
    '**.example.com',
    'a.*.com',
    '*.10.0.0.1',
    'https://a.example',
    'a.example/x',
    'a:0',
    'a:65536',
    'u@a.example',
    '',
    '1.2.3.999',
    'a b',
  ])('is not %j', (entry) => expect(allowedHost(entry)).toBeNull());
});

describe('refusalOf', () => {
  const client = createCheckClient(
    { allowed: ['*.example.com', '10.0.0.1'], internal: ['127.0.0.1', '169.254.169.254'] },
    noProxies,
  );
  const found = (url: string) => client.refusalOf(url)?.found;

  it.each<[string, RegExp]>([
    ['https://user@shop.example.com/', /user name or password/],
    ['https://@shop.example.com/', /user name or password/],
    ['https://shop.example.com@evil.example/', /user name or password/],
    ['https://evil.example/', /may not ask the host evil.example: allowed are \*\.example\.com/],
    ['https://shop.example.com:8443/', /may not ask the host shop.example.com:8443/],
    ['ftp://shop.example.com/', /not a URL/],
    ['https:shop.example.com', /not a URL/],
    ['shop.example.com', /not a URL/],
    [`https://shop.example.com/${'x'.repeat(2_000)}`, /longer than/],
    ['http://10.0.0.1/', /10.0.0.1 is private/],
    ['http://169.254.169.254/', /never asked/],
  ])('refuses %s', (url, why) => expect(found(url)).toMatch(why));

  it.each(['https://shop.example.com/a?b=c@d', 'http://127.0.0.1/', 'http://2130706433/'])('allows %s', (url) =>
    expect(found(url)).toBeUndefined(),
  );

  it('names the variable where no host is allowed', () => {
    const none = createCheckClient({ allowed: [], internal: [] }, noProxies);
    expect(none.refusalOf('https://shop.example.com/')).toEqual({
      found: 'checks may not ask the host shop.example.com: no host is',
      remedy: expect.stringContaining('RUNBOOK_CHECK_HOSTS') as string,
    });
  });
});
