import type { z } from 'zod';
import type { CelRule } from './cel.ts';

/** The API group and version of all kinds. */
export const group = 'quartet.dev';
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}`;

/** A column of `kubectl get`; priority 1 shows with `-o wide` only. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly jsonPath: string;
  readonly priority?: 1;
}

/** All that a CustomResourceDefinition is made from. */
export interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  /** Rules of the whole object, besides those of all kinds. */
  readonly rules?: readonly CelRule[];
  /** Set when `kubectl scale` works: .spec.replicas, .status.replicas and .status.selector exist. */
  readonly scale?: { readonly selector: true };
  readonly columns: readonly PrinterColumn[];
}
