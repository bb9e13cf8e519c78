import { initializers, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UserError } from '../../base/errors.ts';
import { POINT_STRIDES, detectorPoints } from '../../data/points.ts';
import { BilinearUpSampling } from '../../trace/layers/bilinear-up-sampling.ts';
import { BoxesAroundPoints } from '../../trace/layers/boxes-around-points.ts';
import { BesideInTraining, StoppedGradient } from '../../trace/layers/second-head.ts';
import type { Blocks } from './blocks.ts';
import { family, imageInputShape } from './builder.ts';
import { levelsOfV2, STRIDES_TO_32 } from './mobilenet.ts';
import { integer, real, weights } from './options.ts';

/** Rows of MobileNet v2 whose features, at strides 8, 16 and 32, are the levels of the pyramid. */
const LEVELS = [2, 4, 5] as const;

/** Probability of each class at the start, as in Lin et al. 2017, "Focal loss for dense object detection". */
const PRIOR = 0.01;
/** Distance to each side at the start, in cells. */
const FIRST_DISTANCE = 2;

export const detNano = detector('det-nano', 'A small detector', { alpha: 0.35, filters: 48 });
export const detSmall = detector('det-small', 'A detector of more filters', { alpha: 0.75, filters: 96 });

/**
 * Detector without anchors: at each point of three levels, a logit for each class and the distances to the sides of a box. Feature pyramid with a
 * second path downwards (Liu et al. 2018, "Path aggregation network"), all of it depthwise, with a head for each level, as in PicoDet (Yu et al. 2021).
 */
function detector(name: string, doc: string, usual: { readonly alpha: number; readonly filters: number }) {
  return family({
    isOfPictures: true,
    answersPer: ['point'],
    doc: `${doc}: MobileNet v2, a depthwise feature pyramid at strides 8, 16 and 32, and a head without anchors.`,
    options: {
      alpha: real(usual.alpha, 'Filters of every layer of the backbone, as a multiple of the published ones.', 0.1, 4),
      filters: integer(usual.filters, 'Filters of the pyramid and of the heads.', 8, 1024),
      weights,
    },
    strides: POINT_STRIDES,
    build: (args, { alpha, filters }) => {
      const { inputShape, classes, blocks, nms = true } = args;
      const largest = POINT_STRIDES.at(-1)!;
      const [height, width] = imageInputShape(name, inputShape, largest);
      if (height % largest !== 0 || width % largest !== 0)
        throw new UserError(
          `model ${name} takes pictures whose height and width are multiples of ${largest}, received ${height}×${width}`,
          'Set `dataset.resize`.',
        );
      const { inputs, levels } = levelsOfV2(args, alpha, STRIDES_TO_32, LEVELS);
      const heads = pyramid(blocks, levels, filters).map((level, i) =>
        head(blocks, level, `head${i}`, filters, classes),
      );
      const joined = (name: string, parts: SymbolicTensor[]): SymbolicTensor =>
        layers.concatenate({ name, axis: 1 }).apply(parts) as SymbolicTensor;
      const { centres, cells } = detectorPoints(height, width);
      const around = new BoxesAroundPoints({
        name: nms ? 'boxes' : 'many_boxes',
        centres: Array.from(centres),
        cells: Array.from(cells),
      });
      const boxes = around.apply(
        joined(
          'distances',
          heads.map((each) => each.distances),
        ),
      ) as SymbolicTensor;
      const scores = joined(
        nms ? 'scores' : 'many_scores',
        heads.map((each) => each.scores),
      );
      if (nms) return model({ inputs, outputs: [boxes, scores], name });
      const changes = joined(
        'single_changes',
        heads.map(({ seen }, i) => change(blocks, seen, `single${i}`, filters, classes)),
      );
      const single = blocks.add(stopped(scores, 'single_from'), changes, 'single_scores');
      const beside = (name: 'boxes' | 'scores', pair: [SymbolicTensor, SymbolicTensor]): SymbolicTensor =>
        new BesideInTraining({ name }).apply(pair) as SymbolicTensor;
      return model({
        inputs,
        outputs: [beside('boxes', [stopped(boxes, 'single_boxes'), boxes]), beside('scores', [single, scores])],
        name,
      });
    },
  });
}

function pyramid(blocks: Blocks, levels: readonly SymbolicTensor[], filters: number): SymbolicTensor[] {
  const last = levels.length - 1;
  const out = levels.map((level, i) => blocks.conv(level, `lateral${i}`, filters, { kernel: 1, activation: 'relu6' }));
  for (let i = last - 1; i >= 0; i--) {
    const large = new BilinearUpSampling({ name: `up${i}`, size: [2, 2] }).apply(out[i + 1]!) as SymbolicTensor;
    out[i] = separable(blocks, blocks.add(out[i]!, large, `top_down${i}_sum`), `top_down${i}`, filters);
  }
  for (let i = 1; i <= last; i++) {
    const small = separable(blocks, out[i - 1]!, `down${i}`, filters, 2);
    out[i] = separable(blocks, blocks.add(out[i]!, small, `bottom_up${i}_sum`), `bottom_up${i}`, filters);
  }
  return out;
}

/** Distances [batch, points, 4], in cells and never negative, and logits [batch, points, classes] of a level; `seen`: what a change of its logits depends on. */
function head(blocks: Blocks, level: SymbolicTensor, name: string, filters: number, classes: number) {
  const before = separable(blocks, level, name, filters);
  const bias = Math.log(PRIOR / (1 - PRIOR));
  const near = last(blocks, separable(blocks, before, `${name}_box`, filters), `${name}_distances`, 4, FIRST_DISTANCE);
  const named = separable(blocks, before, `${name}_class`, filters);
  const logits = last(blocks, named, `${name}_scores`, classes, bias);
  return {
    distances: asPoints(
      layers.reLU({ name: `${name}_distances_relu` }).apply(near) as SymbolicTensor,
      `${name}_distances_points`,
    ),
    scores: asPoints(logits, `${name}_scores_points`),
    seen: [named, logits],
  };
}

/**
 * Change of a level's logits [batch, points, classes] after which each object has a single point of a high score (Zhou et al. 2021, "Object detection made
 * simpler by eliminating heuristic NMS"): it sees the logits of the points around. No gradient flows back, as in Wang et al. 2024, "YOLOv10", section 3.1.
 */
function change(blocks: Blocks, seen: readonly SymbolicTensor[], name: string, filters: number, classes: number) {
  const inputs = seen.map((y, i) => stopped(y, `${name}_seen${i}`));
  const both = layers.concatenate({ name: `${name}_seen` }).apply(inputs) as SymbolicTensor;
  const y = separable(blocks, separable(blocks, both, `${name}_first`, filters), `${name}_second`, filters);
  return asPoints(last(blocks, y, `${name}_change`, classes, 0), `${name}_points`);
}

function stopped(x: SymbolicTensor, name: string): SymbolicTensor {
  return new StoppedGradient({ name }).apply(x) as SymbolicTensor;
}

function separable(
  blocks: Blocks,
  x: SymbolicTensor,
  name: string,
  filters: number,
  stride: 1 | 2 = 1,
): SymbolicTensor {
  const y = blocks.depthwise(x, `${name}_depthwise`, { kernel: 5, stride, activation: 'relu6' });
  return blocks.conv(y, `${name}_pointwise`, filters, { kernel: 1, activation: 'relu6' });
}

/** Last convolution of a head, whose biases begin at `bias`. */
function last(blocks: Blocks, x: SymbolicTensor, name: string, filters: number, bias: number): SymbolicTensor {
  const conv = layers.conv2d({
    name,
    filters,
    kernelSize: 1,
    kernelInitializer: blocks.initial(`${name}/kernel`, { scheme: 'glorot-uniform' }),
    biasInitializer: initializers.constant({ value: bias }),
  });
  return conv.apply(x) as SymbolicTensor;
}

function asPoints(x: SymbolicTensor, name: string): SymbolicTensor {
  const [, height, width, each] = x.shape;
  return layers.reshape({ name, targetShape: [height! * width!, each!] }).apply(x) as SymbolicTensor;
}
