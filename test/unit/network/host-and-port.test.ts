import { describe, expect, it } from 'vitest';
import { hostAndPort } from '../../../src/network/host-and-port.js';

describe('an address as it is written', () => {
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
