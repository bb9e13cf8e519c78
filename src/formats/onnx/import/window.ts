import type { OnnxNode } from '../model.ts';
import { attr, intAttr, intsAttr } from './attrs.ts';
import type { Import } from './context.ts';

export interface ImportedWindow {
  readonly strides: number[];
  readonly dilations: number[];
  /** Top, bottom, left, right. */
  readonly pads: number[];
}

/** Strides and dilations over [height, width]; a 1-D window gets height 1. */
export function windowAttrs(
  node: OnnxNode,
  c: Import,
  kernel: readonly number[],
): { strides: number[]; dilations: number[] } {
  const [strides, dilations] = ['strides', 'dilations'].map((name) => {
    const values = intsAttr(node, c, name) ?? [1, 1];
    return values.length === 1 ? [1, values[0]!] : values;
  }) as [number[], number[]];
  if (kernel.length !== 2 || strides.length !== 2 || dilations.length !== 2)
    c.fail(`expected windows over height and width, or over length alone, received ${kernel.length} axes`);
  return { strides, dilations };
}

/** The attribute `pads` as top, bottom, left, right. */
export function padsOf(node: OnnxNode, c: Import): number[] {
  const declaredPads = intsAttr(node, c, 'pads') ?? [0, 0, 0, 0];
  const [top, left, bottom, right] = (
    declaredPads.length === 2 ? [0, declaredPads[0]!, 0, declaredPads[1]!] : declaredPads
  ) as [number, number, number, number];
  if (declaredPads.length !== 4 && declaredPads.length !== 2)
    c.fail(`its attribute pads names ${declaredPads.length} pads`);
  if (declaredPads.some((amount) => amount < 0))
    c.fail(`its attribute pads is [${declaredPads.join(', ')}]: it cuts away`);
  return [top, bottom, left, right];
}

/** Strides, dilations and padding of a window op over [height, width]. */
export function windowOfNode(
  node: OnnxNode,
  c: Import,
  kernel: readonly number[],
  size: readonly number[],
): ImportedWindow {
  const { strides, dilations } = windowAttrs(node, c, kernel);
  const explicitPads = padsOf(node, c);
  const auto = attr(node, c, 'auto_pad', 'string') ?? 'NOTSET';
  if (auto === 'SAME_UPPER' || auto === 'SAME_LOWER') {
    const pads = [0, 1].flatMap((i) => {
      const reach = (kernel[i]! - 1) * dilations[i]! + 1;
      const wanted = (Math.ceil(size[i]! / strides[i]!) - 1) * strides[i]! + reach - size[i]!;
      // ONNX Runtime's pools ignore dilation in padding, and cut half of the excess; its convolutions do neither.
      if (node.op !== 'Conv' && reach > kernel[i]!)
        c.fail(`${auto} with windows dilated by ${dilations[i]!}, which runtimes pad differently`);
      if (node.op !== 'Conv' && Math.trunc((auto === 'SAME_UPPER' ? wanted : wanted + 1) / 2) < 0)
        c.fail(`its windows of ${reach} with strides of ${strides[i]!} do not fill ${size[i]!}: ${auto} cuts away`);
      const total = Math.max(0, wanted);
      const less = Math.floor(total / 2);
      return auto === 'SAME_UPPER' ? [less, total - less] : [total - less, less];
    });
    return { strides, dilations, pads };
  }
  if (auto !== 'NOTSET' && auto !== 'VALID') c.fail(`its attribute auto_pad is ${auto}, which is not known here`);
  return { strides, dilations, pads: auto === 'VALID' ? [0, 0, 0, 0] : explicitPads };
}

/** Padding (bottom, right) that `ceil_mode` adds for an incomplete last window. */
export function ceiling(
  node: OnnxNode,
  c: Import,
  kernel: readonly number[],
  size: readonly number[],
  { strides, dilations, pads }: ImportedWindow,
): [number, number] {
  const isCeiled = intAttr(node, c, 'ceil_mode', 0) === 1;
  const auto = attr(node, c, 'auto_pad', 'string') ?? 'NOTSET';
  // Other paddings determine the number of windows themselves.
  if (!isCeiled || auto.startsWith('SAME')) return [0, 0];
  const [bottom, right] = [0, 1].map((i) => {
    const span = size[i]! + pads[2 * i]! + pads[2 * i + 1]! - (kernel[i]! - 1) * dilations[i]! - 1;
    let windows = Math.ceil(span / strides[i]!) + 1;
    if ((windows - 1) * strides[i]! >= size[i]! + pads[2 * i]!) windows--;
    return Math.max(0, (windows - 1) * strides[i]! - span);
  });
  return [bottom!, right!];
}
