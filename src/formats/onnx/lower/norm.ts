import type { DType } from '../../../graph/types.ts';
import type { Lowering, Rule } from './context.ts';
import type { Layout } from './layout.ts';
import { NCHW } from './layout.ts';
import { commonLayout, floatsOnly } from './rules.ts';
import { resize, resizeGrad } from './resize.ts';

const epsilonOf = (attrs: Parameters<Rule>[0]['attrs']): number => attrs.epsilon as number;

const fusedBatchNorm: Rule = (node, c) => {
  const [x, mean, variance, offset, scale] = node.inputs as [string, string, string, string, string];
  const out = node.outputs[0]!;
  const shape = c.shapeOf(x);
  const channels = shape.at(-1)!;
  const statistics = [mean, variance, offset, scale].filter((name) => name !== '');
  const perChannel = statistics.every((name) => c.shapeOf(name).length === 1 && c.shapeOf(name)[0] === channels);
  const lies = c.layoutsOf(x).some((layout) => layout.join() === NCHW.join());
  if (shape.length === 4 && lies && perChannel) {
    const { dtype } = c.typeOf(x);
    const [ones, zeros] = [1, 0].map((value) => (): string => c.filled([channels], dtype, value));
    const inputs = [
      c.as(x, NCHW),
      scale === '' ? ones!() : c.plain(scale),
      offset === '' ? zeros!() : c.plain(offset),
      c.plain(mean),
      c.plain(variance),
    ];
    c.define(out, c.one('BatchNormalization', inputs, { epsilon: { float: epsilonOf(node.attrs) } }), NCHW);
    return;
  }
  const layout = commonLayout(c, [x], shape.length);
  c.define(out, normalized(c, [x, mean, variance, offset, scale], layout, epsilonOf(node.attrs)), layout);
};

/** The formula as separate ops, for other ranks and statistics of any broadcastable shape. */
function normalized(c: Lowering, names: readonly string[], layout: Layout, epsilon: number): string {
  const { dtype, shape } = c.typeOf(names[0]!);
  const [x, mean, variance, offset, scale] = names.map((name) =>
    name === '' ? '' : c.aligned(name, shape.length, layout),
  ) as [string, string, string, string, string];
  const inverse = inverseDeviation(c, variance, dtype, epsilon);
  const factor = scale === '' ? inverse : c.one('Mul', [inverse, scale]);
  const scaled = c.one('Mul', [c.one('Sub', [x, mean]), factor]);
  return offset === '' ? scaled : c.one('Add', [scaled, offset]);
}

function inverseDeviation(c: Lowering, variance: string, dtype: DType, epsilon: number): string {
  return c.one('Reciprocal', [c.one('Sqrt', [c.one('Add', [variance, c.scalar(dtype, epsilon)])])]);
}

/** Axes of a tensor in `layout` over which a batch norm averages, and the shape of a broadcastable statistic. */
function channelwise(layout: Layout, channels: number): { axes: number[]; shape: number[] } {
  const last = layout.indexOf(layout.length - 1);
  return {
    axes: layout.map((_, i) => i).filter((i) => i !== last),
    shape: layout.map((_, i) => (i === last ? channels : 1)),
  };
}

const batchNormTrain: Rule = (node, c) => {
  const [x, scale, offset] = node.inputs as [string, string, string];
  const { dtype, shape } = c.typeOf(x);
  const layout = commonLayout(c, [x], shape.length);
  const channels = shape.at(-1) as number;
  const { axes, shape: spread } = channelwise(layout, channels);
  const perChannel = (tensor: string): string => c.reshape(tensor, spread, [channels]);
  const input = c.as(x, layout);
  const mean = c.reduce('ReduceMean', input, axes, true);
  const centred = c.one('Sub', [input, mean]);
  const variance = c.reduce('ReduceMean', c.one('Mul', [centred, centred]), axes, true);
  const inverse = inverseDeviation(c, variance, dtype, epsilonOf(node.attrs));
  const factor = c.one('Mul', [inverse, c.aligned(scale, shape.length, layout)]);
  const y = c.one('Add', [c.one('Mul', [centred, factor]), c.aligned(offset, shape.length, layout)]);
  c.define(node.outputs[0]!, y, layout);
  [mean, variance, inverse].forEach((tensor, i) => c.define(node.outputs[i + 1]!, perChannel(tensor)));
};

/** dx = scale · r · (dy - mean(dy) - x̂ · mean(dy · x̂)), x̂ = (x - mean) · r, r = 1/sqrt(variance + epsilon). */
const batchNormTrainGrad: Rule = (node, c) => {
  const [dy, x, scale, mean, inverse] = node.inputs as [string, string, string, string, string];
  const { dtype, shape } = c.typeOf(x);
  const layout = commonLayout(c, [dy, x], shape.length);
  const channels = shape.at(-1) as number;
  const { axes, shape: spread } = channelwise(layout, channels);
  const [gradient, input] = [c.as(dy, layout), c.as(x, layout)];
  const [gamma, center, r] = [scale, mean, inverse].map((name) => c.aligned(name, shape.length, layout));
  const normal = c.one('Mul', [c.one('Sub', [input, center!]), r!]);
  const dOffset = c.reduce('ReduceSum', gradient, axes, true);
  const dScale = c.reduce('ReduceSum', c.one('Mul', [gradient, normal]), axes, true);
  const count = c.count(shape.slice(0, -1), dtype);
  const toward = c.one('Mul', [normal, c.one('Div', [dScale, count])]);
  const inner = c.one('Sub', [c.one('Sub', [gradient, c.one('Div', [dOffset, count])]), toward]);
  c.define(node.outputs[0]!, c.one('Mul', [inner, c.one('Mul', [gamma!, r!])]), layout);
  c.define(node.outputs[1]!, c.reshape(dScale, spread, [channels]));
  c.define(node.outputs[2]!, c.reshape(dOffset, spread, [channels]));
};

/** ONNX divides alpha by the number of neighbours. */
const lrn: Rule = (node, c) => {
  const size = 2 * (node.attrs.depthRadius as number) + 1;
  const [alpha, beta, bias] = ['alpha', 'beta', 'bias'].map((name) => node.attrs[name] as number);
  const attrs = { size, alpha: { float: alpha! * size }, beta: { float: beta! }, bias: { float: bias! } };
  c.define(node.outputs[0]!, c.one('LRN', [c.as(node.inputs[0]!, NCHW)], attrs), NCHW);
};

export const normRules: Record<string, Rule> = {
  FusedBatchNorm: floatsOnly(fusedBatchNorm),
  BatchNormTrain: floatsOnly(batchNormTrain),
  BatchNormTrainGrad: floatsOnly(batchNormTrainGrad),
  LRN: floatsOnly(lrn),
  ResizeBilinear: resize,
  ResizeNearestNeighbor: resize,
  ResizeBilinearGrad: resizeGrad,
  ResizeNearestNeighborGrad: resizeGrad,
};
