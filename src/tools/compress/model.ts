import { UserError } from '../../base/errors.ts';
import { dependencies } from '../../compress/prune/groups.ts';
import { detectorPoints } from '../../data/points.ts';
import { statedIn } from '../../files/stated.ts';
import { isReadAsOnnx } from '../../files/as-onnx.ts';
import { readOnnx, trainableModel } from '../../files/onnx-file.ts';
import type { Graph } from '../../graph/types.ts';
import { importOnnx } from '../../formats/onnx/import.ts';
import type { InputShapes } from '../../formats/onnx/sizes.ts';
import { decodeModel } from '../../formats/onnx/protobuf.ts';
import { endsInSigmoid, withTwoLogits } from '../../formats/onnx/rewrite/two-logits.ts';
import type { ModelNetwork } from '../../networks/network.ts';
import { onnxNetwork } from '../../networks/onnx/onnx.ts';
import { evaluator } from '../../runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../trace/use.ts';
import { inOnePiece } from '../../formats/onnx/large.ts';

/** Facts about a model to compress. */
export interface CompressedModel {
  readonly file: string;
  readonly bytes: Uint8Array;
  /** The file as a trainable network. */
  readonly network: ModelNetwork;
  /** Reason why no channels can be removed; undefined if some can. */
  readonly uncut: string | undefined;
  /** True if the file has batch-norm nodes, which exporters may fold. */
  readonly hasNorms: boolean;
  readonly input: string;
  /** Shape of a sample as input of the file. */
  readonly fed: readonly number[];
  /** The same shape, with channels of pictures last. */
  readonly sampleShape: readonly number[];
  readonly classes: number;
  /** Names of its classes, if stated in the file. */
  readonly labels?: readonly string[] | undefined;
  /** True if the file ends in a softmax, which files of probabilities then have too. */
  readonly endsInSoftmax: boolean;
  /** Kind of a file's single number for two classes; training turns it into two logits. */
  readonly one: 'logit' | 'probability' | undefined;
  /** Normalization of pictures stated in the file; undefined if there is none. */
  readonly stated?: { readonly scale: number; readonly mean: number[]; readonly std: number[] } | undefined;
}

/** Part of a picture that the data ask about, if not the whole: pixels, with the number of them from an answer to the next one, or points with boxes. */
export type AnswersWithin = { readonly per: 'pixel'; readonly stride: number } | { readonly per: 'point' };

/** Opens a model. `UserError` for a file that is missing, chooses no class, or cannot be trained. */
export async function openModel(
  file: string,
  shapes: InputShapes = new Map(),
  within?: AnswersWithin,
): Promise<CompressedModel> {
  if (!(await isReadAsOnnx(file)))
    throw new UserError(
      `compress: expected an .onnx, .keras or .h5 file, received ${file}`,
      'Export the model to ONNX, e.g. with torch.onnx.export.',
    );
  // Training needs an open batch size.
  const open = [...shapes].map(
    ([input, one]) => [input, 'value' in one ? one : (['batch', ...one.slice(1)] as const)] as const,
  );
  const bytes = inOnePiece(await readOnnx(file, new Map(open)), file, '`limbeck compress`');
  const source = decodeModel(bytes, file);
  const { model } = trainableModel(source, file);
  const binary = withTwoLogits(model);
  const singleOutput = binary && (endsInSigmoid(model) ? ('probability' as const) : ('logit' as const));
  const graph = importOnnx(binary ?? model, file);
  checkEnds(graph, file, within?.per);
  const [[input, { shape }] = ['', { shape: [] }]] = graph.inputs;
  const fed = shape.slice(1).map(Number);
  const sampleShape = isChannelsFirst(fed) ? [fed[1]!, fed[2]!, fed[0]!] : fed;
  const stride = within?.per === 'pixel' ? within.stride : undefined;
  const answer = graph.outputs.get('scores') ?? [...graph.outputs.values()][0]!;
  const [, second, ...others] = graph.types.get(answer)!.shape.map(Number);
  // Of logits for each pixel, channels come first or last as those of the picture do.
  const isLast = within?.per === 'point' || (stride !== undefined && sampleShape === fed);
  const classes = isLast ? others.at(-1)! : second!;
  const [height = 0, width = 0] = sampleShape;
  const grid = stride === undefined ? undefined : ([height / stride, width / stride, classes] as const);
  useLazyBackend(evaluator);
  // Finds everything that would stop a training, by node and operator.
  const options = {
    inputShape: sampleShape,
    classes,
    seed: 0,
    head: 'keep',
    freeze: [],
    isOfTwo: classes === 2 && within === undefined,
    grid,
    detector:
      within?.per === 'point'
        ? { points: detectorPoints(height, width).count, picture: [height, width] as const }
        : undefined,
  } as const;
  const network = onnxNetwork(model, file, options);
  const { groups, skipped } = dependencies(network);
  const uncut = groups.length > 0 ? undefined : (skipped[0]?.why ?? 'no layer makes any');
  const { preprocessing, labels } = statedIn(model.metadata);
  const { scale, mean, std } = preprocessing ?? {};
  const stated = scale && mean && std && { scale, mean, std };
  const hasNorms = graph.nodes.some(({ op }) => op === 'FusedBatchNorm');
  const facts = { file, bytes, network, uncut, hasNorms, endsInSoftmax: model !== source, one: singleOutput };
  return { ...facts, input, fed, sampleShape, classes, labels, ...(stated && { stated }) };
}

/** `UserError` for a model with several inputs or outputs, or without a score for each of several classes. */
function checkEnds({ inputs, outputs, types }: Graph, file: string, per: AnswersWithin['per'] | undefined): void {
  const [names, answers] = [[...inputs.keys()], [...outputs]];
  if (names.length !== 1)
    throw new UserError(
      `${file}: expected a model of one input to compress, received ${names.join(', ')}`,
      'Make one input of them, or write a recipe: `student: { onnx: … }` takes several from an .npz archive. `limbeck quantize` takes them too.',
    );
  const shapeOf = (value: string) => types.get(value)!.shape;
  if (per === 'point') {
    // The network compares their sizes with the points of the picture.
    if (['boxes', 'scores'].every((part) => outputs.has(part) && shapeOf(outputs.get(part)!).length === 3)) return;
    throw new UserError(
      `${file}: expected a detector with the outputs boxes [batch, points, 4] and scores [batch, points, classes], received ${answers.map(([name, value]) => `${name} [${shapeOf(value).join(', ')}]`).join(', ')}`,
      'Write a recipe for another layout: `student: { onnx: …, decoder: yolov8 }`, with `prune` and `quantize`.',
    );
  }
  if (answers.length !== 1)
    throw new UserError(
      `${file}: expected one output, received ${answers.map(([name]) => name).join(', ')}`,
      'Export the model with its logits as its only output; a detector needs a recipe of `task: detection` as --data. `limbeck quantize` takes several.',
    );
  const [name, value] = answers[0]!;
  const shape = shapeOf(value);
  if (per === 'pixel' ? shape.length === 4 : shape.length === 2 && Number(shape[1]) > 1) return;
  if (per === 'pixel')
    throw new UserError(
      `${file}: expected logits for each pixel, [batch, height, width, classes] or [batch, classes, height, width], received ${name} [${shape.join(', ')}]`,
      'Export the model up to its logits, without argmax.',
    );
  throw new UserError(
    `${file}: expected logits [batch, classes] of at least two classes, received ${name} [${shape.join(', ')}]`,
    ONLY_CLASSES,
  );
}

export const ONLY_CLASSES =
  'Only models that choose a class are compressed, with one number for two classes where a dense layer or a sigmoid gives it; those that give a class to each pixel, or boxes, with a recipe of `task: segmentation` or `task: detection` as --data. `limbeck quantize` takes any; `student: { onnx: … }` in a recipe trains those of other tasks.';

/** True for PyTorch's shape of pictures: few channels before height and width. */
function isChannelsFirst([channels, height, width, ...more]: readonly number[]): boolean {
  if (height === undefined || width === undefined || more.length > 0) return false;
  return channels! <= 4 ? width > 4 || height > 4 : channels! < width;
}
