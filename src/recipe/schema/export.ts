import { z } from 'zod';
import type { KeyRule } from '../rule.ts';

const FORMATS = ['onnx', 'tflite'] as const;
type Format = (typeof FORMATS)[number];

const streamSchema = z.strictObject({
  format: z.enum(FORMATS).describe('File format of the streams.'),
  stream: z
    .literal(true)
    .describe(
      'Beside each file of this format a second one, `…-stream`, that takes a hop at a time and keeps its past.',
    ),
});

type Asked = z.infer<typeof streamSchema>;

/** Formats and streams in the order of the recipe, and behind them formats that only a stream names: a stream stands beside a file of windows. */
export const exportSchema = z
  .array(z.union([z.enum(FORMATS), streamSchema]))
  .min(1)
  .transform((given): readonly (Format | Asked)[] => {
    const others = streamFormats(given).filter((format) => !given.includes(format));
    return [...given, ...new Set(others)];
  })
  .default(['onnx'])
  .describe('File formats of the student.');

/** Formats in which students are also written as streams. */
export function streamFormats(asked: readonly (Format | Asked)[]): readonly Format[] {
  return asked.flatMap((item) => (typeof item === 'object' ? [item.format] : []));
}

export const exportRules: readonly KeyRule[] = [
  {
    keys: ['export.*.stream', 'target'],
    when: (_stream: true, target?: object) => target !== undefined,
    because: 'no stream beside target, whose search compares whole windows',
    hint: 'Take it out, and write the stream of the student that was found: limbeck export RUN --stream.',
  },
  {
    keys: ['export.*.stream', 'export.*.format', 'tflite.batch'],
    when: (_stream: true, format: string, batch: unknown) => format === 'tflite' && batch === 'dynamic',
    because: 'no stream beside tflite.batch: dynamic: its past has the size of one sample',
  },
];
