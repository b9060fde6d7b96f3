/** Addresses as they are written: IPv6 hosts have brackets. */

/** `127.0.0.1:8095`, `[::1]:8095`: for URLs, messages and whatever else takes `host:port`. Brackets that are there already stay. */
export function hostAndPort(host: string, port: number | string): string {
  return `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}
