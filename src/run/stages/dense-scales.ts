import { weightScales } from '../../compress/quantize/ptq.ts';
import { rounded, withConstants } from '../../compress/quantize/rounding.ts';
import type { Dataset } from '../../data/dataset.ts';
import { lowerToOnnx } from '../../formats/onnx/lower.ts';
import { encodeModel } from '../../formats/onnx/protobuf.ts';
import { weightedNodes } from '../../graph/quantization.ts';
import type { DenseScales } from '../../graph/quantization.ts';
import type { Graph } from '../../graph/types.ts';
import { percent } from '../../base/numbers.ts';
import type { StageContext } from '../context.ts';
import { sessionOptionsOf } from '../../runtime/recipe-options.ts';
import { idOf } from '../../report/artifact.ts';
import { predictionsOfFile } from '../../ship/model-file.ts';
import type { ExportedModel } from '../../ship/export.ts';

export interface DenseChoice {
  readonly dense: DenseScales;
  /** For the report. */
  readonly notes: readonly string[];
}

/**
 * Scales of dense layers in TFLite files. One for each output needs TensorFlow Lite 2.17, so it is taken only where the
 * validation split says that it pays: the float model with nothing but these weights in 8 bits loses, by more than chance,
 * with one scale a layer, and less so with one for each output. Computed in float32, so the choice is the same for every
 * scheme and whichever TFLite runtimes are installed.
 */
export async function chooseDenseScales(
  { recipe, data }: Pick<StageContext, 'recipe' | 'data'>,
  model: ExportedModel,
): Promise<DenseChoice> {
  const { graph } = model;
  const id = idOf(model);
  const right = async (of: Graph): Promise<boolean[]> => {
    const bytes = encodeModel(lowerToOnnx(of));
    const file = { file: `${id} with rounded dense layers`, bytes, format: 'onnx', precision: 'fp32' } as const;
    return rightOn(data.validation, await predictionsOfFile(file, data.validation, sessionOptionsOf(recipe)));
  };
  if (denseWeights(graph).length === 0) return { dense: 'channel', notes: [] };
  const perTensor = await right(withRoundedDense(graph, 'tensor'));
  if (!isWorse(perTensor, await right(graph))) return { dense: 'tensor', notes: [] };
  const perOutput = await right(withRoundedDense(graph, 'channel'));
  if (!isWorse(perTensor, perOutput)) return { dense: 'tensor', notes: [] };
  const [one, many] = [perTensor, perOutput].map((all) => percent(all.filter(Boolean).length / all.length));
  const why = `with dense layers in 8 bits ${id} is right on ${many} of the validation split, on ${one} with one scale for a layer`;
  return {
    dense: 'channel',
    notes: [`TFLite files have a scale for each output of a dense layer, which needs TensorFlow Lite 2.17: ${why}`],
  };
}

function denseWeights(graph: Graph): string[] {
  return weightedNodes(graph).flatMap(({ op, inputs }) => (op === 'BatchMatMul' ? [inputs[1]!] : []));
}

/** The float model, but for weights of dense layers that have been through 8 bits. */
function withRoundedDense(graph: Graph, dense: DenseScales): Graph {
  const scales = weightScales(graph, dense);
  return withConstants(
    graph,
    new Map(
      denseWeights(graph).map((name) => {
        const { data, type } = graph.constants.get(name)!;
        return [name, rounded(data as Float32Array, type.shape as number[], scales.get(name)!)] as const;
      }),
    ),
  );
}

function rightOn({ labels }: Dataset, predictions: Int32Array): boolean[] {
  return Array.from(predictions, (predicted, i) => predicted === labels[i]);
}

/** 1.96 standard deviations: chance alone does that in one of 40 cases. */
const SURE = 1.96;

/**
 * Whether `a` is right less often than `b` on the same samples by more than chance: McNemar's test, with the continuity
 * correction of Edwards 1948, over the samples that one of them has right and the other wrong.
 */
export function isWorse(a: readonly boolean[], b: readonly boolean[]): boolean {
  const lost = a.filter((right, i) => !right && b[i]).length;
  const won = a.filter((right, i) => right && !b[i]).length;
  return lost - won - 1 > SURE * Math.sqrt(lost + won);
}
