import { describe, expect, it } from 'vitest';
import { proxyChoice, proxyName } from '../../../src/network/proxies.js';

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
  ])('never stands between this process and %s', (url) => {
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
    ['https://10.1.2.3', '10.0.0.0/99', true],
    ['https://ten.example.com', '10.0.0.0/8', true],
    ['https://api.example.com', '', true],
  ])('stands before %s with NO_PROXY=%s: %s', (url, entry, expected) => {
    expect(choose(url, [entry])).toBe(expected);
  });
});
