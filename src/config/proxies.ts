/** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in either case of letters, as curl and others read them. */
import { clipText, printable } from '../domain/text/text.js';
import { isException, proxyChoice, type ProxyFor } from '../network/proxies.js';
import type { VariableReader } from './environment.js';
import { PROXY_VARIABLES } from './variables.js';

/** What curl and gRPC read besides. */
const IGNORED = ['ALL_PROXY', 'GRPC_PROXY', 'NO_GRPC_PROXY'].flatMap((name) => [name.toLowerCase(), name]);

/** The choice of a proxy. Where both spellings of one are set the lower case counts, as with curl; exceptions add up. */
export function readProxies(reader: VariableReader): ProxyFor {
  const [https, http] = [readProxy(reader, 'HTTPS_PROXY'), readProxy(reader, 'HTTP_PROXY')];
  for (const name of IGNORED)
    if (reader.text(name) !== undefined)
      reader.warn(`${name} is ignored: only HTTPS_PROXY, HTTP_PROXY and NO_PROXY say which proxy a request takes`);
  const except = ['no_proxy', 'NO_PROXY'].flatMap((name) => readExceptions(reader, name));
  return proxyChoice({ https, http, except });
}

function readProxy(reader: VariableReader, name: 'HTTPS_PROXY' | 'HTTP_PROXY'): URL | null {
  const place = [name.toLowerCase(), name].find((spelling) => reader.text(spelling) !== undefined);
  return place === undefined ? null : (reader.check(place, reader.text(place), PROXY_VARIABLES[name]) ?? null);
}

function readExceptions(reader: VariableReader, name: string): string[] {
  const entries = reader.text(name)?.split(/[,\s]+/) ?? [];
  return entries.filter((entry) => {
    if (entry === '' || isException(entry)) return entry !== '';
    reader.warn(
      `${name}: "${withoutPassword(entry)}" cannot be understood, so no host is reached directly for it. Write a host, a domain such as .example.com, an address, or a network such as 10.0.0.0/8, separated by commas`,
    );
    return false;
  });
}

/** An entry that is written as a URL may hold a password. */
function withoutPassword(entry: string): string {
  return printable(clipText(entry.replace(/^.*@/, '…@'), 200));
}
