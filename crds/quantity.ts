import { z } from 'zod';
import { rules } from './cel.ts';

const multipliers: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

const form = /^([1-9][0-9]{0,11})(Ki|Mi|Gi|Ti|k|M|G|T)?$/;

/** Bytes of a Kubernetes quantity such as `10Gi`. Throws a RangeError when it is none. */
export const quantityBytes = (text: string): number => {
  const match = form.exec(text);
  if (!match) throw new RangeError(`not a quantity: ${text}`);
  return Number(match[1]) * (multipliers[match[2] ?? ''] ?? 1);
};

/** A size in bytes as a Kubernetes quantity, between two bounds. */
export const quantity = (field: string, min: string, max: string) =>
  z
    .string()
    .max(16)
    .regex(form)
    .meta(
      rules({
        rule: `!isQuantity(self) || (quantity(self).compareTo(quantity('${min}')) >= 0 && quantity(self).compareTo(quantity('${max}')) <= 0)`,
        message: `${field} must be between ${min} and ${max}`,
      }),
    );
