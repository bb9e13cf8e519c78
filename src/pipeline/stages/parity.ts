import { UserError } from '../../base/errors.ts';
import type { Graph } from '../../graph/types.ts';
import { agreement, classesOf } from '../../measure/accuracy.ts';
import type { ParitySummary } from '../../report/types.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import { openTflite } from '../../runtime/litert.ts';
import { encodeModel } from '../../formats/onnx/protobuf.ts';
import { lowerToOnnx, outputName } from '../../formats/onnx/lower.ts';
import type { ShipContext } from '../ship-context.ts';
import { sessionOptionsOf } from '../../runtime/recipe-options.ts';
import type { ModelFile } from '../model-file.ts';
import { openRunner } from '../model-file.ts';
import { BUDGETS } from './budgets.ts';
import type { ExportedModel, Reference } from './export.ts';
import { largestDifference, scaleOf } from './export.ts';
import { integerCause } from './integer-cause.ts';

/** Runs a file on the samples that the training graph was run on; `UserError` if it does not answer as that did. */
export async function checkFile(
  context: Pick<ShipContext, 'recipe' | 'data'>,
  { graph, reference }: ExportedModel,
  file: ModelFile,
  make: (graph: Graph) => { readonly bytes: Uint8Array },
): Promise<ParitySummary> {
  const runner = await openRunner(file, sessionOptionsOf(context.recipe));
  const actual = await runner.logits(reference.x, reference.shape).finally(runner.dispose);
  const classes = context.data.classNames.length;
  const top1Agreement = agreement(classesOf(reference.logits, classes), classesOf(actual, classes));
  const largestError = largestDifference(reference.logits, actual);
  const samples = reference.shape[0]!;
  const budget = BUDGETS[file.precision];
  if (top1Agreement >= budget.top1Agreement && largestError <= budget.error * scaleOf(reference.logits))
    return { file: file.file, samples, top1Agreement, largestError };
  const { layer, cause } = await firstDiverging(context, graph, worstSample(reference, actual), file, make);
  throw new UserError(
    `${file.file}: does not answer as the graph it was trained in: same class on ${(100 * top1Agreement).toFixed(2)} % of ${samples} samples, ` +
      `largest error of a logit ${largestError.toExponential(2)}; the first layer that differs is ${layer ?? 'the last one'}${cause}`,
    'The file was not written. Export in a higher precision, or report this with the recipe.',
  );
}

/** Of the samples, the one whose logits differ most: where it shows what went wrong. */
function worstSample({ x, shape: [n, ...sample], logits }: Reference, actual: Float32Array) {
  const [each, classes] = [x.length / n!, logits.length / n!];
  const errorOf = (row: number): number =>
    largestDifference(
      logits.subarray(row * classes, (row + 1) * classes),
      actual.subarray(row * classes, (row + 1) * classes),
    );
  let worst = 0;
  for (let row = 1; row < n!; row++) if (errorOf(row) > errorOf(worst)) worst = row;
  return { data: x.slice(worst * each, (worst + 1) * each), shape: [1, ...sample] };
}

/** The layer of the first value on which a file and the float graph disagree by more than the budget, over one sample. */
async function firstDiverging(
  context: Pick<ShipContext, 'recipe' | 'data'>,
  graph: Graph,
  one: { readonly data: Float32Array; readonly shape: readonly number[] },
  file: ModelFile,
  make: (graph: Graph) => { readonly bytes: Uint8Array },
): Promise<{ layer: string | undefined; cause: string }> {
  const values = graph.nodes.flatMap(({ outputs, layer }) =>
    outputs
      .filter((name) => graph.types.get(name)!.dtype === 'float32')
      .map((name) => ({ name, layer: layer ?? name })),
  );
  const whole: Graph = { ...graph, outputs: new Map(values.map(({ name }) => [name, name])) };
  const [input] = graph.inputs.keys();
  const onOnnx = async (bytes: Uint8Array): Promise<Record<string, Float32Array>> => {
    const model = new InferenceModel(bytes, file.file, sessionOptionsOf(context.recipe));
    const results = await model.run({ [input!]: one });
    model.dispose();
    return Object.fromEntries(values.map(({ name }) => [name, results[outputName(whole, name)]!.data as Float32Array]));
  };
  const onTflite = async (bytes: Uint8Array): Promise<Record<string, Float32Array>> => {
    const session = await openTflite(bytes);
    const results = await session.run({ [input!]: one.data });
    session.dispose();
    return results as Record<string, Float32Array>;
  };
  const expected = await onOnnx(encodeModel(lowerToOnnx(whole)));
  const { bytes } = make(whole);
  const actual = await (file.format === 'onnx' ? onOnnx(bytes) : onTflite(bytes));
  const { error } = BUDGETS[file.precision];
  const found = values.find(({ name }) => {
    const [a, b] = [expected[name]!, actual[name]];
    return b === undefined || largestDifference(a, b) > error * scaleOf(a);
  });
  const inIntegers = file.format === 'tflite' && file.precision === 'int8';
  return { layer: found?.layer, cause: inIntegers ? integerCause(bytes, { [input!]: one.data }, actual, values) : '' };
}
