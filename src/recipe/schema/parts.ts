import { z } from 'zod';

/** Small schemas that several parts of the recipe share. */

export const count = z.int().min(1);
export const seed = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
export const fraction = z.number().min(0).max(1);
export const file = z
  .string()
  .min(1)
  // No system allows such a file name, and Node's error for it looks like a bug of ours.
  .refine((name) => !name.includes('\0'), { params: { expected: 'a file name without NUL characters' } });
/**
 * Discriminator of the union member that a mapping without this key belongs to. zod finds a member only if undefined is among the key's values, hence
 * `optional`; with the default, the output never lacks it, whatever zod's type says.
 */
export function usual<T extends string>(name: T, doc: string): z.ZodDefault<z.ZodLiteral<T>> {
  const schema = z
    .literal(name)
    .default(name as never)
    .optional()
    .describe(doc);
  return schema as unknown as z.ZodDefault<z.ZodLiteral<T>>;
}
export const files = z.union([file, z.array(file).min(1)]);
/** Sizes of a sample's axes, such as `[28, 28, 1]`. */
export const sampleShape = z.array(count).min(1).max(4);
/** Oldest and newest operator set of ONNX files that a recipe may choose; a file whose operators need a later set gets that. */
export const OPSETS = [17, 21] as const;

/** A temperature: logits are divided by it in float32, and below the minimum the softmax is all of the largest. */
export const temperatureSchema = z.number().min(0.01).max(1000);

/** Name of a model, beside which its options are allowed; the models define them. */
export const modelName = z
  .string()
  .min(1)
  .describe('Model of the registry, such as mlp, ds-cnn, resnet or mobilenet-v2.');
export const modelOption = z
  .union([z.number(), z.boolean(), z.string(), z.array(z.number())])
  .describe('An option of the model, such as width or depth.');
