import { describe, expect, it } from 'vitest';
import { isException, proxyChoice, proxyName } from '../../../src/network/proxies.js';

const proxy = new URL('http://me:secret@proxy.example.com:3128');
const choose = (url: string, except: readonly string[] = []) =>
  proxyChoice({ https: proxy, http: proxy, except })(new URL(url)) !== null;

describe('a proxy', () => {
  it('is chosen by the scheme of the URL', () => {
    const other = new URL('http://plain:8080');
    const proxyFor = proxyChoice({ https: proxy, http: other, except: [] });
    expect(proxyFor(new URL('https://a.example.com'))).toBe(proxy);
    expect(proxyFor(new URL('http://a.example.com'))).toBe(other);
    expect(proxyChoice({ https: null, http: other, except: [] })(new URL('https://a.example.com'))).toBeNull();
  });

  it('is named without its credentials', () => {
    expect(proxyName(proxy)).toBe('http://proxy.example.com:3128');
  });

  it.each([
    'http://localhost:8123',
    'http://LOCALHOST',
    'http://simulator.localhost',
    'http://127.0.0.1:8123',
    'https://127.8.9.10',
    'https://[::1]:8443',
    'http://169.254.169.254/openstack/latest',
    'http://[fe80::1]',
    'http://0.0.0.0:80',
  ])('is never used for %s', (url) => {
    expect(choose(url)).toBe(false);
  });

  it.each([
    ['https://api.example.com', '*', false],
    ['https://api.example.com', 'api.example.com', false],
    ['https://API.example.com.', 'api.Example.com', false],
    ['https://api.example.com', 'example.com', false],
    ['https://api.example.com', '.example.com', false],
    ['https://api.example.com', '*.example.com', false],
    ['https://api.example.com', 'ample.com', true],
    ['https://api.example.com', 'example.org', true],
    ['https://api.example.com:8443', 'example.com:8443', false],
    ['https://api.example.com', 'example.com:443', false],
    ['http://api.example.com', 'example.com:443', true],
    ['https://10.1.2.3', '10.0.0.0/8', false],
    ['https://11.1.2.3', '10.0.0.0/8', true],
    ['https://10.1.2.3', '10.1.2.3', false],
    ['https://10.1.2.3:8443', '10.1.2.3:8443', false],
    ['https://[2001:db8::5]', '2001:db8::/32', false],
    ['https://[2001:db8::5]:8443', '[2001:db8::5]:8443', false],
    ['https://[2001:db9::5]', '2001:db8::/32', true],
    ['https://servicestage.x.com', 'https://servicestage.x.com', false],
    ['https://servicestage.x.com:8443', 'https://servicestage.x.com', false],
    ['https://servicestage.x.com', 'http://servicestage.x.com:443/v2/', false],
    ['https://servicestage.x.com', 'servicestage.x.com/', false],
    ['https://servicestage.x.com', '*x.com', false],
    ['https://box.com', '*x.com', false],
    ['https://box.com', '*.x.com', true],
    ['https://[fd00::7]', '[fd00::]/8', false],
    ['https://[fe00::7]', '[fd00::]/8', true],
    ['https://[fd00::7]:8443', 'http://[fd00::7]', false],
    ['https://api.bücher.example', 'bücher.example', false],
    ['https://api.bücher.example', '.Bücher.example', false],
    ['https://10.1.2.3', '10.0.0.0/99', true],
    ['https://ten.example.com', '10.0.0.0/8', true],
    ['https://api.example.com', '', true],
  ])('is used for %s with NO_PROXY=%s: %s', (url, entry, expected) => {
    expect(choose(url, [entry])).toBe(expected);
  });

  it.each([
    ...[
      'a|b',
      'a;b',
      '10.0.0.*',
      '10.0.0.0/255.0.0.0',
      '10.0.0.0/33',
      '10.0.0',
      '1.2.3.999',
      'x.com/v2',
      'x.com#a',
      'x%2ecom',
      'x.com:https',
    ],
    ...[
      '[fd00::]/129',
      '[x.com]',
      'x..com',
      '-',
      '.',
      '**',
      'x.*.com',
      'x.com:0',
      'x.com:70000',
      '::1::',
      'fe80::1%eth0',
    ],
    ...['https://', 'https://me:secret@x.com', '10.0.0.0/0x8', '"x.com"'],
  ])('NO_PROXY=%s cannot be understood, and excludes nothing', (entry) => {
    expect(isException(entry)).toBe(false);
    expect(choose('https://10.0.0.1', [entry])).toBe(true);
    expect(choose('https://x.com', [entry])).toBe(true);
  });
});
