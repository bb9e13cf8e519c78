import type { LoweringContext, TfliteLowering } from './context.ts';

/** Multiplication and addition of constants, which are folded into a preceding convolution. */
function batchNorm(c: LoweringContext): void {
  const [x, mean, variance, offset, scale] = c.inputs() as [string, string, string, string, string];
  const [m, v, o, s] = [mean, variance, offset, scale].map((name) => c.data(name));
  const epsilon = c.attr('epsilon');
  if (m === undefined || v === undefined || (offset !== '' && !o) || (scale !== '' && !s)) {
    computedNorm(c, [x, mean, variance, offset, scale], epsilon);
    return;
  }
  const factor = Float64Array.from(v as Float32Array, (value, i) => Number(s?.[i] ?? 1) / Math.sqrt(value + epsilon));
  const shift = Float32Array.from(m as Float32Array, (value, i) => Number(o?.[i] ?? 0) - value * factor[i]!);
  const type = c.type(mean);
  const scaled = c.binary('MUL', x, c.program.constant(type, Float32Array.from(factor), `${mean}/factor`));
  c.emitBinary('ADD', scaled, c.program.constant(type, shift, `${mean}/shift`));
}

function computedNorm(
  c: LoweringContext,
  [x, mean, variance, offset, scale]: readonly string[],
  epsilon: number,
): void {
  const deviation = c.unary('RSQRT', c.binary('ADD', variance!, c.program.float(epsilon)));
  const factor = scale === '' ? deviation : c.binary('MUL', deviation, scale!);
  const centred = c.binary('SUB', x!, mean!);
  if (offset === '') {
    c.emitBinary('MUL', centred, factor);
    return;
  }
  c.emitBinary('ADD', c.binary('MUL', centred, factor), offset!);
}

const resize =
  (op: 'RESIZE_BILINEAR' | 'RESIZE_NEAREST_NEIGHBOR', options: string): TfliteLowering =>
  (c) => {
    const { alignCorners, halfPixelCenters } = c.node.attrs;
    const size = c.program.ints(c.ints('size'), 'size');
    c.emit(op, [c.input(0), size], { type$: options, alignCorners, halfPixelCenters });
  };

function localResponse(c: LoweringContext): void {
  const [radius, bias, alpha, beta] = [c.attr('depthRadius'), c.attr('bias'), c.attr('alpha'), c.attr('beta')];
  const options = { type$: 'LocalResponseNormalizationOptions', radius, bias, alpha, beta };
  c.emit('LOCAL_RESPONSE_NORMALIZATION', [c.input(0)], options);
}

export const norm: Readonly<Record<string, TfliteLowering>> = {
  FusedBatchNorm: batchNorm,
  LRN: localResponse,
  ResizeBilinear: resize('RESIZE_BILINEAR', 'ResizeBilinearOptions'),
  ResizeNearestNeighbor: resize('RESIZE_NEAREST_NEIGHBOR', 'ResizeNearestNeighborOptions'),
};
