import path from 'node:path';
import { convertFile } from '../../src/ship/convert.ts';
import type { ConvertOptions } from '../../src/ship/convert/options.ts';
import { useCpu } from '../support/cpu.ts';
import { withSource } from '../support/stream-files.ts';
import { STREAM_NETS, streamNet } from '../support/streams.ts';

beforeAll(useCpu);

type Form = readonly [ConvertOptions['format'], ConvertOptions['precision'], leastDb: number];

/** Files of each precision, with signal to noise that all nets reach. */
const FORMS: readonly Form[] = [
  ['onnx', 'fp32', 130],
  ['onnx', 'fp16', 60],
  ['onnx', 'dynamic-int8', 35],
  ['onnx', 'int8', 25],
  ['onnx', 'int4', 20],
  ['tflite', 'fp32', 130],
  ['tflite', 'fp16', 60],
  ['tflite', 'dynamic-int8', 35],
  ['tflite', 'int8', 25],
  ['tflite', 'int16x8', 35],
];

it.each(STREAM_NETS)('answers hop by hop as the source answers windows, in all formats and precisions: %s', (name) =>
  withSource(streamNet(name), async ({ folder, from, data }) => {
    const rows: string[] = [];
    for (const [format, precision, leastDb] of FORMS) {
      const out = path.join(folder, `${precision}.${format}`);
      const { outputs, samples } = await convertFile({ from, data, format, precision, out, stream: true });
      const [{ sqnrDb, largestError }] = outputs as [(typeof outputs)[0]];
      rows.push(
        `${name}: ${format} ${precision} ${sqnrDb!.toFixed(1)} dB, ${largestError.toExponential(1)}, ${samples}`,
      );
      expect(sqnrDb).toBeGreaterThan(leastDb);
      expect(samples).toBeGreaterThanOrEqual(50);
    }
    process.stdout.write(`${rows.join('\n')}\n`);
  }),
);
