import { isIPv4, isIPv6 } from 'node:net';

/** The network of a client for which one choice holds: /24, or /48 for IPv6. */
export function clientPrefix(address: string | undefined): string {
  if (address === undefined) return '';
  if (isIPv4(address)) return address.slice(0, address.lastIndexOf('.'));
  return isIPv6(address) ? expanded(address).slice(0, 3).join(':') : '';
}

function expanded(address: string): string[] {
  const [head = '', tail = ''] = address.toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  return [...left, ...zeros, ...right];
}

/** How long a choice is remembered (ms), and for how many networks. */
const rememberMs = 10 * 60_000;
const maxPrefixes = 50_000;

/** The edge that each client network had last. Bounded: the one unused for longest is forgotten first. */
export class LastChoices {
  private readonly choices = new Map<string, { edge: string; at: number }>();

  get(prefix: string, now: number): string | undefined {
    const choice = this.choices.get(prefix);
    return choice === undefined || now - choice.at > rememberMs ? undefined : choice.edge;
  }

  set(prefix: string, edge: string, now: number): void {
    this.choices.delete(prefix);
    if (this.choices.size >= maxPrefixes) {
      const oldest = this.choices.keys().next();
      if (oldest.done !== true) this.choices.delete(oldest.value);
    }
    this.choices.set(prefix, { edge, at: now });
  }
}
