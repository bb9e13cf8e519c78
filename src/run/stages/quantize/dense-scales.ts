import { weightScales } from '../../../compress/quantize/ptq.ts';
import { roundedWeights, withChangedConstants } from '../../../compress/quantize/rounding.ts';
import { lowerToOnnx } from '../../../formats/onnx/lower.ts';
import { onnxContent } from '../../../formats/onnx/protobuf.ts';
import { weightedNodes } from '../../../graph/quantization.ts';
import type { DenseScales } from '../../../graph/quantization.ts';
import type { Graph } from '../../../graph/types.ts';
import type { StageContext } from '../../context.ts';
import { sessionOptionsOf } from '../../../runtime/recipe-options.ts';
import { idOf } from '../../../report/artifact.ts';
import { logitsOfFile } from '../../../ship/model-file.ts';
import { taskOf } from '../../../tasks/registry.ts';
import type { ExportedModel } from '../../../ship/export.ts';

export interface DenseChoice {
  readonly dense: DenseScales;
  /** Notes for the report. */
  readonly notes: readonly string[];
}

/**
 * Chooses between a scale for each layer and a scale for each output for dense layers of TFLite files. A scale for each output needs TensorFlow Lite
 * 2.17, so it is taken only if the validation split shows a gain: with only the dense weights in 8 bits, the score drops by more than chance with one
 * scale a layer, and by less with one for each output. Computed in float32, so the choice does not depend on the scheme or the installed runtimes.
 */
export async function chooseDenseScales(
  { recipe, data, processes }: Pick<StageContext, 'recipe' | 'data' | 'processes'>,
  model: ExportedModel,
): Promise<DenseChoice> {
  const { graph } = model;
  const id = idOf(model);
  const { validation } = data;
  const task = taskOf(validation);
  const ask = async (of: Graph): Promise<Float32Array> => {
    const bytes = onnxContent(lowerToOnnx(of));
    const file = { file: `${id} with rounded dense layers`, bytes, format: 'onnx', precision: 'fp32' } as const;
    return logitsOfFile(file, validation, { session: sessionOptionsOf(recipe), turns: processes });
  };
  if (denseWeights(graph).length === 0) return { dense: 'channel', notes: [] };
  const { targets } = validation;
  const perTensor = await ask(withRoundedDense(graph, 'tensor'));
  if (!task.isWorse(perTensor, await ask(graph), targets)) return { dense: 'tensor', notes: [] };
  const perOutput = await ask(withRoundedDense(graph, 'channel'));
  if (!task.isWorse(perTensor, perOutput, targets)) return { dense: 'tensor', notes: [] };
  const many = task.score.said(task.scoreOf(perOutput, targets), 'the validation split');
  const perTensorScore = task.score.text(task.scoreOf(perTensor, targets));
  const why = `with dense layers in 8 bits ${id} is ${many}, ${task.score.name} ${perTensorScore} with one scale for a layer`;
  return {
    dense: 'channel',
    notes: [`TFLite files have one scale for each output of a dense layer, which needs TensorFlow Lite 2.17: ${why}`],
  };
}

function denseWeights(graph: Graph): string[] {
  return weightedNodes(graph).flatMap(({ op, inputs }) => (op === 'BatchMatMul' ? [inputs[1]!] : []));
}

/** The float model with its dense weights rounded to 8 bits. */
function withRoundedDense(graph: Graph, dense: DenseScales): Graph {
  const scales = weightScales(graph, dense);
  return withChangedConstants(
    graph,
    new Map(
      denseWeights(graph).map((name) => {
        const { data, type } = graph.constants.get(name)!;
        return [name, roundedWeights(data as Float32Array, type.shape as number[], scales.get(name)!)] as const;
      }),
    ),
  );
}
