import { z } from 'zod';
import type { KeyRule } from '../rule.ts';

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

/** Keys that decide which files are written. A search writes files for its runtime, in int8 by default. */
const WRITTEN = ['export', 'target', 'quantize'] as const;
type Written = readonly [formats: readonly string[], target?: { readonly runtime: string }, steps?: unknown];

function isWritten(...[formats, target]: Written): boolean {
  return target === undefined ? formats.includes('tflite') : target.runtime !== 'onnxruntime';
}

function hasInt8(...[, target, given]: Written): boolean {
  // If the steps are invalid themselves, this is no list.
  const steps = Array.isArray(given) ? (given as readonly { readonly scheme?: string }[]) : [];
  return steps.some(({ scheme }) => scheme === 'int8') || (target !== undefined && steps.length === 0);
}

/** Rules about options of files that are not written, and bit widths that only they support. */
export const tfliteRules: readonly KeyRule[] = [
  {
    keys: ['tflite.batch', ...WRITTEN],
    when: (batch: unknown, ...written: Written) => batch !== 1 && !isWritten(...written),
    because: '1 where no TFLite file is written',
  },
  {
    keys: ['tflite.ends', ...WRITTEN],
    when: (ends: string, ...written: Written) => ends !== 'float32' && !(isWritten(...written) && hasInt8(...written)),
    because: 'float32 where no int8 TFLite file is written',
  },
  {
    keys: ['quantize.*.scheme', 'export', 'target'],
    when: (scheme: string, ...written: Written) => scheme === 'int16x8' && !isWritten(...written),
    because: 'another scheme without TFLite files: int16x8 is of them alone',
  },
  {
    keys: ['quantize.*.scheme', 'export', 'target'],
    when: (scheme: string, formats: readonly string[], target?: object) =>
      scheme === 'int4' && target === undefined && !formats.includes('onnx'),
    because: 'another scheme without onnx in export: int4 is of ONNX files alone',
  },
];
