/** Addresses as they are written: IPv6 hosts have brackets. */
import { isIP } from 'node:net';

/** `127.0.0.1:8095`, `[::1]:8095`: for URLs, messages and whatever else takes `host:port`. Brackets that are there already stay. */
export function hostAndPort(host: string, port: number | string): string {
  return `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}

/** `::1` for `[::1]`: the host of a URL for whatever connects, looks up or compares. Other hosts are left as they are. */
export function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

const LABEL = /^\w(?:[\w-]{0,61}\w)?$/;

/** Whether a text can be the name of a host, or an IPv4 address. `a..b` and `-` are URLs to Node, and no resolver takes them. */
export function isHostName(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.');
  if (text.length > 254 || !labels.every((label) => LABEL.test(label))) return false;
  // A last label of digits alone is an address or nothing: 1.2.3.999 and 10.0.0 are none.
  return !/^\d+$/.test(labels.at(-1) ?? '') || isIP(text) === 4;
}

/** Whether the host of a URL is an address or the name of a host. */
export function isHostOfUrl({ hostname }: URL): boolean {
  return hostname.startsWith('[') || isHostName(hostname);
}
