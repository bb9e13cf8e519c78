import { ints } from '../../../graph/ops/spec.ts';
import type { Attrs, Node } from '../../../graph/types.ts';
import type { Lowering, Rule } from './context.ts';
import { NCHW } from './layout.ts';
import type { Pads } from './window.ts';
import { floatOperand, onnxPads, spatial, windowCounts, windowOf } from './window.ts';

const NONE: Pads = [0, 0, 0, 0];

function poolAttrs(attrs: Attrs, pads: Pads): Record<string, readonly number[]> {
  const { strides, dilations } = windowOf(attrs);
  return {
    kernel_shape: ints(attrs, 'filterSize'),
    strides,
    pads: onnxPads(pads),
    ...(dilations.every((dilation) => dilation === 1) ? {} : { dilations }),
  };
}

/** The operand and the pooling's own padding, which ONNX Runtime requires to be smaller than the window. */
function padded(c: Lowering, x: string, attrs: Attrs, value: number): { tensor: string; pads: Pads } {
  const tensor = floatOperand(c, c.as(x, NCHW), c.typeOf(x).dtype);
  const { pads } = windowOf(attrs);
  const filter = ints(attrs, 'filterSize');
  if (pads.every((amount, i) => amount < filter[i >> 1]!)) return { tensor, pads };
  const [top, bottom, left, right] = pads;
  const amounts = c.ints([0, 0, top, left, 0, 0, bottom, right]);
  return { tensor: c.one('Pad', [tensor, amounts, c.scalar('float32', value)], { mode: 'constant' }), pads: NONE };
}

function define(c: Lowering, out: string, tensor: string): void {
  const { dtype } = c.typeOf(out);
  c.define(out, dtype.startsWith('float') ? tensor : c.cast(tensor, dtype), NCHW);
}

function windowKey({ filterSize, strides, dilations, pads }: Attrs): string {
  return JSON.stringify([filterSize, strides, dilations, pads]);
}

export const maxPool: Rule = (node, c) => {
  const [x, out] = [node.inputs[0]!, node.outputs[0]!];
  const isItsGradient = ({ op, inputs, attrs }: Node): boolean =>
    op === 'MaxPoolGrad' && inputs[1] === x && windowKey(attrs) === windowKey(node.attrs);
  if (c.options.poolIndices && c.consumersOf(x).some(isItsGradient)) {
    define(c, out, maxPoolWithIndices(c, x, node.attrs).values);
    return;
  }
  const { tensor, pads } = padded(c, x, node.attrs, -Infinity);
  define(c, out, c.one('MaxPool', [tensor], poolAttrs(node.attrs, pads)));
};

/**
 * Maxima and their positions in the flattened NCHW tensor: the first of equals, row by row. If the tensor was padded first, `pads` has the amounts.
 */
export function maxPoolWithIndices(
  c: Lowering,
  x: string,
  attrs: Attrs,
): { readonly values: string; readonly indices: string; readonly pads: Pads } {
  return c.once(`max pool ${x} ${windowKey(attrs)}`, () => {
    const { tensor, pads } = padded(c, x, attrs, -Infinity);
    const [values, indices] = c.emit('MaxPool', [tensor], poolAttrs(attrs, pads), 2);
    const before = windowOf(attrs).pads;
    return { values: values!, indices: indices!, pads: pads === NONE ? before : NONE };
  });
}

export const avgPool: Rule = (node, c) => {
  const [x, out] = [node.inputs[0]!, node.outputs[0]!];
  const { tensor, pads } = padded(c, x, node.attrs, 0);
  const average = c.one('AveragePool', [tensor], { ...poolAttrs(node.attrs, pads), count_include_pad: 0 });
  if (pads !== NONE) {
    define(c, out, average);
    return;
  }
  const [height, width] = spatial(c.shapeOf(out));
  const counts = windowCounts(spatial(c.shapeOf(x)), [height, width], node.attrs);
  const [rows, columns] = ints(node.attrs, 'filterSize') as [number, number];
  const factors = c.initializer(
    'float32',
    [1, 1, height, width],
    counts.map((count) => (rows * columns) / count),
  );
  define(c, out, c.one('Mul', [average, factors]));
};
