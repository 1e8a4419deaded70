import { z } from 'zod';

/** The standard condition (metav1.Condition). */
export const condition = z.object({
  type: z.string().max(316).describe('What the condition is about, in CamelCase.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  observedGeneration: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Generation of the spec it speaks of.'),
  lastTransitionTime: z.string().meta({ format: 'date-time' }).describe('When the status changed last.'),
  reason: z.string().max(1024).describe('One word for programs.'),
  message: z.string().max(32768).describe('A sentence for people: what is wrong and what to do.'),
});
export type Condition = z.infer<typeof condition>;

/** Parts of every status. */
export const statusBase = {
  observedGeneration: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Generation of the spec that this status answers.'),
  conditions: z
    .array(condition)
    .max(32)
    .optional()
    .describe('Ready, Progressing, Degraded, and more by kind.')
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
};

/** A count in a status. */
export const count = (description: string) =>
  z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional().describe(description).meta({ format: 'int64' });
