/** Which hosts a request may be sent to: exact names or addresses, or everything below a domain, each with an optional port. Pure. */
import { isIP } from 'node:net';
import { isHostName } from './host-and-port.js';

/** Whether an entry allows a URL. */
export type AllowsUrl = (url: URL) => boolean;

const ENTRY = /^(\*\.)?(\[[\da-f:.]+\]|[^\s:/?#@\\%*[\]]+)(?::(\d{1,5}))?$/i;

/**
 * One entry, such as `shop.example.com`, `*.example.com:8443` or `[2001:db8::1]`. Without a port it allows only the usual one of the scheme; a
 * star means one or more names. @returns `null` for what cannot be understood
 */
export function allowedHost(entry: string): AllowsUrl | null {
  const [, star, text = '', port] = ENTRY.exec(entry) ?? [];
  const name = text === '' || !URL.canParse(`http://${text}`) ? '' : hostOf(new URL(`http://${text}`));
  const isAddress = name.startsWith('[') || isIP(name) !== 0;
  if (name === '' || (!isAddress && !isHostName(name)) || (isAddress && star !== undefined)) return null;
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535)) return null;
  return (url) => {
    const host = hostOf(url);
    const fits = star === undefined ? host === name : host.endsWith(`.${name}`);
    return fits && (port === undefined ? url.port === '' : Number(port) === portOf(url));
  };
}

/** In lower case, as URLs have it, without the dot at the end. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/\.$/, '');
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}
