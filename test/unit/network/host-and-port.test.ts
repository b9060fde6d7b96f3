import { describe, expect, it } from 'vitest';
import { hostAndPort, isHostName } from '../../../src/network/host-and-port.js';

describe('a written address', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1:8095'],
    ['localhost', 'localhost:8095'],
    ['::1', '[::1]:8095'],
    ['[::1]', '[::1]:8095'],
    ['::', '[::]:8095'],
    ['2001:db8::5', '[2001:db8::5]:8095'],
  ])('of %s', (host, text) => {
    expect(hostAndPort(host, 8_095)).toBe(text);
    expect(URL.canParse(`http://${text}`)).toBe(true);
  });
});

describe('the name of a host', () => {
  it.each([
    'localhost',
    'my_host',
    'a.b-c.d',
    'a.b.',
    '10.0.0.7',
    'xn--bcher-kva.example',
    '7.example',
    'x'.repeat(63),
  ])('is %s', (text) => {
    expect(isHostName(text)).toBe(true);
  });

  it.each(['', '.', '..', 'a..b', '-', '-a', 'a-', '.a', 'a/b', 'a b', '10.0.0', '1.2.3.999', '7', 'x'.repeat(64)])(
    'is not %j',
    (text) => {
      expect(isHostName(text)).toBe(false);
    },
  );
});
