import { BlockList, isIP, isIPv6 } from 'node:net';

/** An IPv4 address in IPv6 clothes, undressed. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');

/** Peers whose X-Forwarded-For and X-Client-Location are believed, and who may purge. Nobody is, unless listed. */
export class TrustedProxies {
  private readonly list = new BlockList();

  /**
   * @param cidrs comma-separated addresses and networks
   * @throws RangeError that names the part that is neither
   */
  constructor(cidrs: string) {
    for (const part of cidrs.split(',').map((text) => text.trim())) {
      if (part !== '') this.add(part);
    }
  }

  trusts(address: string | undefined): boolean {
    if (address === undefined) return false;
    const bare = plain(address);
    return isIP(bare) !== 0 && this.list.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
  }

  /**
   * The client behind a chain of proxies: from the right, the first address that is not a trusted proxy. What stands
   * further left was written by someone untrusted.
   */
  clientAddress(peer: string | undefined, forwardedFor: string | undefined): string | undefined {
    if (!this.trusts(peer) || forwardedFor === undefined) return peer === undefined ? undefined : plain(peer);
    const chain = forwardedFor.split(',').map((text) => plain(text.trim()));
    const hops = chain.reverse().filter((address) => isIP(address) !== 0);
    return hops.find((address) => !this.trusts(address)) ?? hops.at(-1) ?? plain(peer ?? '');
  }

  private add(part: string): void {
    const [address = '', prefix] = part.split('/');
    const type = isIPv6(address) ? 'ipv6' : 'ipv4';
    const most = type === 'ipv6' ? 128 : 32;
    const bits = prefix === undefined ? most : Number(prefix);
    if (isIP(address) === 0 || !Number.isInteger(bits) || bits < 0 || bits > most) {
      throw new RangeError(`QUARTET_TRUSTED_PROXIES: ${part} is neither an address nor a network`);
    }
    this.list.addSubnet(address, bits, type);
  }
}
