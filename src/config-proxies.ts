/** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in either case of letters, as curl and others read them. */
import type { Reader } from './config-reader.js';
import { proxyChoice, type ProxyFor } from './network/proxies.js';

/** Where both spellings of a proxy are set the lower case counts, as with curl; exceptions add up. */
export function readProxies(reader: Reader): ProxyFor {
  return proxyChoice({
    https: readProxy(reader, 'HTTPS_PROXY'),
    http: readProxy(reader, 'HTTP_PROXY'),
    except: ['no_proxy', 'NO_PROXY'].flatMap((name) => reader.text(name)?.split(/[,\s]+/) ?? []),
  });
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
  if (url === null || url.hostname === '' || !hasReadableUser(url))
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
