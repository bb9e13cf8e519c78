import type { OrtModule } from '../../src/convert.ts';
import { openerIn } from '../../src/convert/runtime.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';

/** A runtime that keeps the options of its sessions. */
function keeping(kept: object[]): OrtModule {
  return {
    Tensor: class {
      readonly type = 'float32';
      readonly data = undefined;
      readonly dims = [];
    },
    InferenceSession: {
      create: (_model, options) => {
        kept.push(options!);
        return Promise.resolve({
          inputNames: [],
          outputNames: [],
          run: () => Promise.resolve({}),
          release: () => Promise.resolve(),
        });
      },
    },
  };
}

it.each([false, true])(
  'sessions never fuse a Pad into a MaxPool, whose zeros ONNX Runtime would lose (exact: %s)',
  async (exact) => {
    const kept: object[] = [];
    const b = new GraphBuilder();
    b.output('y', b.op('Neg', [b.input('x', { dtype: 'float32', shape: ['batch', 2] })]));
    await openerIn(keeping(kept), exact)(encodeModel(lowerToOnnx(b.build())), 'm.onnx');
    expect(kept).toEqual([
      expect.objectContaining({
        graphOptimizationLevel: exact ? 'disabled' : 'all',
        extra: { 'optimization.disable_specified_optimizers': 'Pad_Fusion' },
      }),
    ]);
  },
);

it.each([
  [
    "Non-zero status code returned while running Reshape node. Name:'/Four' Status Message: /src/x.h:84",
    'load its node /Four (Reshape)',
  ],
  ['Node (/Four) Op (Reshape) [ShapeInferenceError] Dimension could not be inferred', 'load its node /Four (Reshape)'],
  ['Protobuf parsing failed.', 'load this model: Protobuf parsing failed.'],
])('a node that the runtime does not open is named without the words of the runtime: %s', async (said, expected) => {
  const { Tensor } = keeping([]);
  const runtime: OrtModule = { Tensor, InferenceSession: { create: () => Promise.reject(new Error(said)) } };
  await expect(openerIn(runtime)(new Uint8Array(4), 'm.onnx')).rejects.toMatchObject({
    message: `m.onnx: the runtime cannot ${expected}`,
    hint: 'Check the file with onnx.checker, and the sizes that its inputs were given.',
  });
});
