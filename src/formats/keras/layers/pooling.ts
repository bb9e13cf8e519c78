import type { LayerRule } from '../context.ts';
import { spaceOf, windowAttributes } from './convolutions.ts';

const pooling =
  (op: string, axes: number): LayerRule =>
  (k, [x]) => {
    const space = spaceOf(k, x!, axes);
    const kernel = k.list('pool_size', axes);
    const stated = k.setting('strides');
    const strides = stated === null || stated === undefined ? kernel : k.list('strides', axes);
    const padding = k.oneOf('padding', ['valid', 'same'], 'valid');
    const ones = kernel.map(() => 1);
    const { attrs, sizes } = windowAttributes(k, kernel, strides, ones, padding);
    const tensor = k.op(op, [k.first(x!)], attrs);
    return { tensor, shape: [x!.shape[0]!, ...sizes(space), x!.shape.at(-1)!], isFirst: true };
  };

const global =
  (op: string, axes: number): LayerRule =>
  (k, [x]) => {
    spaceOf(k, x!, axes);
    const [batch, channels] = [x!.shape[0]!, x!.shape.at(-1)!];
    const tensor = k.op(op, [k.first(x!)]);
    if (k.flag('keepdims', false))
      return { tensor, shape: [batch, ...new Array<number>(axes).fill(1), channels], isFirst: true };
    return { tensor: k.op('Flatten', [tensor], { axis: 1 }), shape: [batch, channels], isFirst: false };
  };

/** A row for each number of axes. */
const each = (name: string, rule: (axes: number) => LayerRule): [string, LayerRule][] =>
  [1, 2, 3].map((axes) => [`${name}${axes}D`, rule(axes)]);

export const poolingLayers: Readonly<Record<string, LayerRule>> = Object.fromEntries([
  ...each('MaxPooling', (axes) => pooling('MaxPool', axes)),
  ...each('AveragePooling', (axes) => pooling('AveragePool', axes)),
  ...each('GlobalMaxPooling', (axes) => global('GlobalMaxPool', axes)),
  ...each('GlobalAveragePooling', (axes) => global('GlobalAveragePool', axes)),
]);
