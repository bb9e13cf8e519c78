import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import type { Model } from '../../src/formats/onnx/model.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Dim } from '../../src/graph/types.ts';

export interface PictureTeacher {
  readonly layout?: 'nhwc' | 'nchw' | 'flat';
  readonly batch?: Dim;
  /** Values that a bright pixel is expected to have: 1 for unit, 255 for raw. */
  readonly bright?: number;
  /** For each answer, the class it stands for. */
  readonly order?: readonly number[];
  readonly softmax?: boolean;
  readonly weights?: 'right' | 'zero' | 'nan';
  readonly classes?: number;
}

/** An ONNX file that knows the classes of `pictures()`: the logit of class k is the brightness of row k, channel 1. */
export function pictureTeacher(options: PictureTeacher = {}): Uint8Array {
  return encodeModel(pictureModel(options));
}

export function pictureModel(options: PictureTeacher = {}): Model {
  const { layout = 'nhwc', batch = 'batch', bright = 1, softmax = false, weights = 'right' } = options;
  const order = options.order ?? Array.from({ length: options.classes ?? 3 }, (_, i) => i);
  const classes = order.length;
  const b = new GraphBuilder();
  const shape = { nhwc: [4, 4, 2], nchw: [2, 4, 4], flat: [32] }[layout];
  const x = b.input('pixels', { dtype: 'float32', shape: [batch, ...shape] });
  const flat = layout === 'flat' ? x : b.op('Reshape', [x], { shape: [batch, 32] });
  const kernel = new Float32Array(32 * classes);
  for (let row = 0; row < 4; row++) {
    for (let column = 0; column < 4; column++) {
      const at = layout === 'nchw' ? 16 + row * 4 + column : (row * 4 + column) * 2 + 1;
      order.forEach((label, answer) => {
        if (label === row && weights === 'right') kernel[at * classes + answer] = 1 / bright;
        if (weights === 'nan') kernel[at * classes + answer] = NaN;
      });
    }
  }
  const w = b.constant({ dtype: 'float32', shape: [32, classes] }, kernel);
  const product = b.op('BatchMatMul', [flat, w], { transposeA: false, transposeB: false });
  // How near the row is to being bright: so the answers depend on the range of the input, not only on the brightest row.
  const expected = b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(3.5));
  const logits = b.op('Neg', [b.op('Square', [b.op('Sub', [product, expected])])]);
  b.output('scores', softmax ? b.op('Softmax', [logits], { axis: -1 }) : logits);
  return lowerToOnnx(b.build());
}
