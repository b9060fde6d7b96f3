/** Which IP addresses are of the public internet, which of an inner network, and which no request of ours may ever reach. Pure. */
import { BlockList, isIP, isIPv4 } from 'node:net';

/** `never`: unspecified, link-local, multicast, reserved, and the metadata services of clouds. */
export type AddressKind = 'public' | 'private' | 'never';

/** Link-local has the metadata service of most clouds, 169.254.169.254; Alibaba Cloud has its own. */
const NEVER_V4 = ['0.0.0.0/8', '169.254.0.0/16', '100.100.100.200/32', '224.0.0.0/4', '240.0.0.0/4'];
/** Loopback, private use, shared by carriers, documentation, benchmarks, and what IANA keeps for protocols. */
const PRIVATE_V4 = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
];
const NEVER_V6 = ['fd00:ec2::254/128', '2001::/32'];
const PRIVATE_V6 = ['::1/128', 'fc00::/7', '2001:db8::/32', '64:ff9b:1::/48'];
/** All global unicast addresses that IANA has given out. */
const PUBLIC_V6 = ['2000::/3'];

const [neverV4, privateV4] = [networks(NEVER_V4), networks(PRIVATE_V4)];
const [neverV6, privateV6, publicV6] = [networks(NEVER_V6), networks(PRIVATE_V6), networks(PUBLIC_V6)];

function networks(list: readonly string[]): BlockList {
  const blocks = new BlockList();
  for (const entry of list) {
    const [address = '', bits] = entry.split('/');
    blocks.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6');
  }
  return blocks;
}

/** The kind of an address in any spelling that Node takes. What is not an address counts as `never`. An IPv6 address that holds an IPv4 one is judged by that. */
export function addressKind(address: string): AddressKind {
  const [plain = ''] = address.split('%');
  const version = isIP(plain);
  if (version === 4) return kindOfV4(plain);
  if (version === 0) return 'never';
  const inner = embeddedV4(groupsOf(plain));
  if (inner !== null) return kindOfV4(inner);
  if (neverV6.check(plain, 'ipv6')) return 'never';
  if (privateV6.check(plain, 'ipv6')) return 'private';
  return publicV6.check(plain, 'ipv6') ? 'public' : 'never';
}

function kindOfV4(address: string): AddressKind {
  if (neverV4.check(address, 'ipv4')) return 'never';
  return privateV4.check(address, 'ipv4') ? 'private' : 'public';
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const hexOnly = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...parts) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail] = hexOnly.split('::');
  const numbers = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [before, after] = [numbers(head), numbers(tail ?? '')];
  const gap = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array.from({ length: gap }, () => 0), ...after];
}

/** IPv4-mapped (`::ffff:a.b.c.d`), IPv4-translated, NAT64 (`64:ff9b::`) and 6to4 (`2002:`) addresses reach an IPv4 host. */
function embeddedV4(groups: readonly number[]): string | null {
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0, sixth = 0, seventh = 0, eighth = 0] = groups;
  const text = (high: number, low: number) => [high >> 8, high & 255, low >> 8, low & 255].join('.');
  const startsWithZeros = first === 0 && second === 0 && third === 0 && fourth === 0;
  const isMapped = startsWithZeros && fifth === 0 && sixth === 0xff_ff;
  const isTranslated = startsWithZeros && fifth === 0xff_ff && sixth === 0;
  const isNat64 = first === 0x64 && second === 0xff_9b && third === 0 && fourth === 0 && fifth === 0 && sixth === 0;
  if (isMapped || isTranslated || isNat64) return text(seventh, eighth);
  return first === 0x20_02 ? text(second, third) : null;
}
