import { z } from 'zod';

export const tfliteSchema = z
  .strictObject({
    ends: z
      .enum(['float32', 'int8', 'uint8'])
      .default('float32')
      .describe('int8 files: type of inputs and outputs; the scales are in the file.'),
    batch: z
      .union([z.literal(1), z.literal('dynamic')])
      .default(1)
      .describe('Samples in a call; dynamic: any number, which not every runtime on a phone supports.'),
  })
  .prefault({})
  .describe('Options of TFLite files.');

/** Parts of a recipe that determine which files are written. */
interface Checked {
  readonly tflite: z.infer<typeof tfliteSchema>;
  readonly export: readonly string[];
  readonly quantize: readonly object[];
  readonly target?: { readonly runtime: string } | undefined;
}

/**
 * Refuses options of files that are not written, and bit widths that only they support. A search writes files for its runtime, in int8 by default.
 */
export function refuseUnwritten(
  { tflite, export: formats, quantize, target }: Checked,
  context: z.RefinementCtx,
): void {
  const refuse = (path: readonly (string | number)[], expected: string, received: unknown): void =>
    context.addIssue({ code: 'custom', message: 'not written', path: [...path], params: { expected, received } });
  const isWritten = target === undefined ? formats.includes('tflite') : target.runtime !== 'onnxruntime';
  // If the steps are invalid themselves, this is no list.
  const steps = Array.isArray(quantize) ? (quantize as readonly object[]) : [];
  const schemes = steps.map((step) => ('scheme' in step ? step.scheme : undefined));
  const hasInt8 = schemes.includes('int8') || (target !== undefined && schemes.length === 0);
  if (tflite.batch !== 1 && !isWritten) refuse(['tflite', 'batch'], '1 where no TFLite file is written', tflite.batch);
  if (tflite.ends !== 'float32' && !(isWritten && hasInt8))
    refuse(['tflite', 'ends'], 'float32 where no int8 TFLite file is written', tflite.ends);
  for (const [i, scheme] of schemes.entries()) {
    const at = ['quantize', i, 'scheme'];
    if (scheme === 'int16x8' && !isWritten)
      refuse(at, 'another scheme without TFLite files: int16x8 is of them alone', scheme);
    if (scheme === 'int4' && target === undefined && !formats.includes('onnx'))
      refuse(at, 'another scheme without onnx in export: int4 is of ONNX files alone', scheme);
  }
}
