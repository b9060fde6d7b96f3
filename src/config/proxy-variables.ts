/** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in either case of letters, as curl and others read them. */
import type { Reader } from './variable-reader.js';
import { clipText, printable } from '../domain/text/text.js';
import { isHostOfUrl } from '../network/host-and-port.js';
import { isException, proxyChoice, type ProxyFor } from '../network/proxies.js';

/** Where both spellings of a proxy are set the lower case counts, as with curl; exceptions add up. */
export function readProxies(reader: Reader): ProxyFor {
  const [https, http] = [readProxy(reader, 'HTTPS_PROXY'), readProxy(reader, 'HTTP_PROXY')];
  for (const name of NOT_READ)
    if (reader.text(name) !== undefined)
      reader.warn(
        `${name} is not obeyed: which proxy a request takes is said by HTTPS_PROXY, HTTP_PROXY and NO_PROXY alone`,
      );
  const except = ['no_proxy', 'NO_PROXY'].flatMap((name) => readExceptions(reader, name));
  return proxyChoice({ https, http, except });
}

/** What curl and gRPC read besides. */
const NOT_READ = ['ALL_PROXY', 'GRPC_PROXY', 'NO_GRPC_PROXY'].flatMap((name) => [name.toLowerCase(), name]);

function readExceptions(reader: Reader, name: string): string[] {
  const entries = reader.text(name)?.split(/[,\s]+/) ?? [];
  return entries.filter((entry) => {
    if (entry === '' || isException(entry)) return entry !== '';
    reader.warn(
      `${name}: "${shown(entry)}" cannot be understood, so no host is reached directly for it. Write a host, a domain such as .example.com, an address, or a network such as 10.0.0.0/8, separated by commas`,
    );
    return false;
  });
}

/** One written as a URL may hold a password. */
function shown(entry: string): string {
  return printable(clipText(entry.replace(/^.*@/, '…@'), 200));
}

/** The variable that counts, and its name as it was written. */
function either(reader: Reader, name: string): { readonly place: string; readonly value: string } | null {
  for (const place of [name.toLowerCase(), name]) {
    const value = reader.text(place);
    if (value !== undefined) return { place, value };
  }
  return null;
}

function readProxy(reader: Reader, name: string): URL | null {
  const found = either(reader, name);
  if (found === null) return null;
  const { place, value } = found;
  const text = value.includes('://') ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  // The value is not shown: it may hold a password.
  if (url === null || !isHostOfUrl(url) || !hasReadableUser(url))
    reader.problem(place, 'it is no URL', 'Write it such as http://proxy.example.com:3128');
  else if (!['http:', 'https:'].includes(url.protocol))
    reader.problem(place, `it names a proxy of the kind ${url.protocol}//`, 'Give an HTTP proxy: http:// or https://');
  else if (`${url.search}${url.hash}` !== '' || url.pathname.replace(/^\/$/, '') !== '')
    reader.problem(place, 'it holds more than scheme, host and port', 'Write it such as http://proxy.example.com:3128');
  else return url;
  return null;
}

function hasReadableUser({ username, password }: URL): boolean {
  try {
    decodeURIComponent(`${username}${password}`);
    return true;
  } catch {
    return false;
  }
}
