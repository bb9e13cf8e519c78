import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { RandomStream } from '../../src/base/random.ts';

/**
 * A dense teacher, [batch, 784] to [batch, 10] over two layers of `width`: one sample reads all weights for one product each,
 * so that its call costs nearly what one of many samples does. The kind of model for which a batch pays.
 */
export function denseTeacher(width: number): Uint8Array {
  const b = new GraphBuilder();
  const random = new RandomStream('dense');
  const weights = (from: number, to: number): string => {
    const data = Float32Array.from({ length: from * to }, () => random.uniform() / from);
    return b.constant({ dtype: 'float32', shape: [from, to] }, data);
  };
  const product = { transposeA: false, transposeB: false };
  let x = b.input('input', { dtype: 'float32', shape: ['batch', 784] });
  x = b.op('Relu', [b.op('BatchMatMul', [x, weights(784, width)], product)]);
  x = b.op('Relu', [b.op('BatchMatMul', [x, weights(width, width)], product)]);
  b.output('logits', b.op('BatchMatMul', [x, weights(width, 10)], product));
  const metadata = new Map([
    ['preprocessing', JSON.stringify({ shape: [784], scale: 1, mean: zeros(784), std: ones(784) })],
  ]);
  return encodeModel(lowerToOnnx(b.build(), { metadata }));
}

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
const ones = (count: number): number[] => Array.from({ length: count }, () => 1);
