import { quantize } from '../../../src/compress/quantize/ptq.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { exportQdq } from '../../../src/formats/onnx/qdq/qdq.ts';
import { exportTflite } from '../../../src/formats/tflite/export.ts';
import { InferenceModel, openerOf } from '../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime/engine.ts';
import { numbers } from '../../support/graphs.ts';
import { floats, run, sketch } from '../../formats/tflite/support.ts';

const session = sessionOptions('cpu', { threads: 1 });
const [SAMPLES, WIDTH] = [32, 24];

/** A dense layer whose rows are divided by their lengths, as `unitRows` divides them. */
const graph = sketch((g) => {
  const dense = g.op('BatchMatMul', [g.input('x', floats('batch', 16)), g.weights([16, WIDTH], 'w')], {
    transposeA: false,
    transposeB: false,
  });
  const constant = (value: number): string => g.constant(floats(), Float32Array.of(value));
  const square = g.op('Mean', [g.op('Square', [dense])], { axes: [1], keepDims: true });
  const inverse = g.op('Rsqrt', [g.op('Add', [square, constant(1e-12)])]);
  return g.op('Multiply', [dense, g.op('Multiply', [inverse, constant(1 / Math.sqrt(WIDTH))])]);
});

/** Samples of very different sizes, the smallest a hundredth of the largest. */
const x = numbers(SAMPLES * 16, 'x').map((value, i) => value * 100 ** (Math.floor(i / 16) / (SAMPLES - 1)));

async function vectors(format: 'onnx' | 'tflite'): Promise<Float32Array[]> {
  const samples = [{ x: { data: x, shape: [SAMPLES, 16] } }];
  const { result: quantization } = await quantize(graph, samples, { calibrator: 'minmax', open: openerOf(session) });
  if (format === 'tflite') {
    const { bytes } = exportTflite(graph, { precision: 'integer', quantization });
    const rows = Array.from({ length: SAMPLES }, (_, i) => run(bytes, { x: x.slice(i * 16, i * 16 + 16) }));
    return (await Promise.all(rows)).map(({ y0 }) => y0 as Float32Array);
  }
  const model = new InferenceModel(encodeModel(exportQdq(graph, quantization).result), 'test.onnx', session);
  const data = (await model.run(samples[0]!))['y0']!.data as Float32Array;
  const rows = Array.from({ length: SAMPLES }, (_, i) => data.slice(i * WIDTH, (i + 1) * WIDTH));
  model.dispose();
  return rows;
}

it.each(['onnx', 'tflite'] as const)(
  'vectors of an int8 file have the length 1, long and short ones: %s',
  async (format) => {
    for (const vector of await vectors(format)) expect(Math.abs(Math.hypot(...vector) - 1)).toBeLessThan(1e-5);
  },
);
