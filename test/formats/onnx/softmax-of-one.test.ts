import { quantize } from '../../../src/compress/quantize/ptq.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { exportQdq } from '../../../src/formats/onnx/qdq/qdq.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { InferenceModel, openerOf } from '../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime/engine.ts';
import { expectClose, numbers } from '../../support/graphs.ts';

const session = sessionOptions('cpu', { threads: 1 });

/** An attention to `keys` values, as its last layer has it; `isFlat`: with a reshape, through which ONNX Runtime moves what rounds to 8 bits. */
function attention(keys: number, isFlat: boolean): Graph {
  const b = new GraphBuilder();
  const weights = (...shape: number[]): string =>
    b.constant({ dtype: 'float32', shape }, numbers(shape[0]! * shape[1]!, 'w', ...shape));
  const product = { transposeA: false, transposeB: false };
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 6] });
  const scores = b.op('BatchMatMul', [x, weights(6, keys)], product);
  const apart = isFlat ? b.op('Reshape', [scores], { shape: ['batch', keys, 1] }) : scores;
  const shares = b.op('Softmax', [apart], { axis: 1 });
  const flat = isFlat ? b.op('Reshape', [shares], { shape: ['batch', keys] }) : shares;
  const mixed = b.op('BatchMatMul', [flat, weights(keys, 8)], product);
  b.output('logits', b.op('BatchMatMul', [mixed, weights(8, 4)], product));
  return b.build();
}

it.each([
  [1, false],
  [1, true],
  [2, false],
])('the int8 file of a softmax over %d values answers as the float32 one', async (keys, isFlat) => {
  const graph = attention(keys, isFlat);
  const feeds = { x: { data: numbers(96, 'x'), shape: [16, 6] } };
  const { result } = await quantize(graph, [feeds], { calibrator: 'minmax', open: openerOf(session) });
  const [int8, float32] = [exportQdq(graph, result).result, exportQdq(graph, new Map()).result].map((one) => {
    const model = new InferenceModel(encodeModel(one), 'test.onnx', session);
    const { logits } = model.runNow(feeds);
    model.dispose();
    return logits!.data as Float32Array;
  });
  expectClose(int8!, float32!, 0.05);
});
