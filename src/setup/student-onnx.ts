import { UserError } from '../base/errors.ts';
import { detectorPoints } from '../data/points.ts';
import { taskOf } from '../tasks/registry.ts';
import { readOnnx, trainableModel } from '../files/onnx-file.ts';
import { decodeModel } from '../formats/onnx/protobuf.ts';
import { tf } from '../networks/models/tf.ts';
import { decoderSettings } from '../recipe/decoders.ts';
import { taskRow } from '../recipe/task.ts';
import type { Recipe } from '../recipe/schema.ts';
import { checkStudentFile } from './student-file.ts';
import { withChoices } from '../networks/chosen.ts';
import type { AnswerGrid } from '../networks/onnx/grid.ts';
import { onnxNetwork } from '../networks/onnx/onnx.ts';
import type { ModelNetwork } from '../networks/network.ts';
import { argsOf, hasNumbers, answering } from './built-for.ts';
import type { BuiltFor } from './built-for.ts';

/** The student of a recipe that is an ONNX file, or one that is read as such. */
export async function studentOfOnnx(context: BuiltFor, onnx: string, seed: number): Promise<ModelNetwork> {
  const student = context.recipe.student!;
  const { freeze = [], learningRates = {}, output, head = 'keep', batchNorm, trainable } = student;
  const args = argsOf(context, seed);
  const isDetector = taskRow(context.data.train.task).answersPer === 'point';
  const compared = 'features' in context.recipe.distill ? context.recipe.distill.features : [];
  const isOfTwo = taskOf(context.data.train).classes?.length === 2;
  // A new head has outputs on its own scale, which a sigmoid would cut off.
  const isOfNumbers = head === 'keep' && hasNumbers(context);
  const inner = compared.map((pair) => pair.student);
  const { answersPer } = taskRow(context.data.train.task);
  const grid = answersPer === 'pixel' ? (args.fields[0]!.shape as AnswerGrid) : undefined;
  const options = {
    ...args,
    grid,
    detector: isDetector ? detectorOf(student, args) : undefined,
    output,
    head,
    freeze,
    trainable,
    batchNorm,
    isOfTwo,
    isOfNumbers,
    compared: inner,
  };
  const { model: file, notes } = trainableModel(decodeModel(await readOnnx(onnx), onnx), onnx, output);
  const differing = checkStudentFile(onnx, file, context.data.train, context.recipe);
  const network = onnxNetwork(file, onnx, options);
  const noted = { ...network, origin: [...(network.origin ?? []), ...notes, ...differing] };
  const chosen = withChoices(noted, { freeze: [], learningRates }, onnx);
  if (isDetector) refuseOtherPoints(chosen, onnx, args.inputShape);
  return answering(context, chosen, head === 'replace');
}

/** Layout of the boxes and scores in the student's file, with the points and the size of its pictures. */
function detectorOf({ decoder, outputs }: NonNullable<Recipe['student']>, { inputShape }: ReturnType<typeof argsOf>) {
  const [height, width] = inputShape as readonly [number, number, number];
  const settings = decoder === undefined ? undefined : decoderSettings(decoder);
  return { points: detectorPoints(height, width).count, picture: [height, width], outputs, decoder: settings } as const;
}

/** Share of a black picture's boxes that hold their points: distances to their sides are not negative. */
const HOLDING = 0.9;

/** `UserError` for a detector whose boxes lie elsewhere than around our points, because their order, their unit or their sides are others. */
function refuseOtherPoints(network: ModelNetwork, file: string, [height, width, channels]: readonly number[]): void {
  const { centres, count } = detectorPoints(height!, width!);
  const sides = tf.tidy(() => {
    const input = tf.zeros([1, height!, width!, channels!]);
    return network.forward({ input }, { training: false }).outputs['boxes']!.dataSync();
  });
  const holds = (point: number): boolean => {
    const [x, y] = centres.subarray(2 * point, 2 * point + 2);
    const [xmin, ymin, xmax, ymax] = sides.subarray(4 * point, 4 * point + 4);
    const near = 1e-4;
    return xmin! <= x! + near && x! <= xmax! + near && ymin! <= y! + near && y! <= ymax! + near;
  };
  const held = Array.from({ length: count }, (_, point) => point).filter(holds).length;
  if (held >= HOLDING * count) return;
  throw new UserError(
    `${file}: expected a box around each of the ${count} points, the middles of cells of 8, 16 and 32 pixels row by row, received ${held} such boxes of a black picture`,
    'Say in `student.decoder` what its sides are: `boxes: corners` or `centres`, `unit: pixels` or `shares`.',
  );
}
