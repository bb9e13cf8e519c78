import type { OnProgress } from '../../base/progress.ts';
import type { InputPart, TargetValues } from '../../data/dataset.ts';
import { joinedValues } from '../../tasks/fields.ts';
import { gainOf } from '../../tasks/score.ts';
import type { Task } from '../../tasks/task.ts';
import { modelFeeds } from '../../runtime/feeds.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import type { SessionOptions } from '../../runtime/onnxruntime/session.ts';
import type { OnnxContent } from '../../formats/onnx/large.ts';

/** Effect of computing one layer in int8 and everything else in float. */
export interface LayerSensitivity {
  readonly layer: string;
  /** Power of the error of the answers, as a share of the power of the float answers. */
  readonly noise: number;
  /** Drop of the score on the samples; negative where the error happens to help. */
  readonly drop: number;
}

export interface LabelledSamples {
  /** [n, ...sample] */
  readonly x: Float32Array;
  readonly shape: readonly number[];
  readonly inputs?: readonly InputPart[] | undefined;
  readonly targets: TargetValues;
  /** Answers of the float model: [n, width]. */
  readonly answers: Float32Array;
}

/**
 * Sensitivity of each layer, found by putting it alone into int8; the worst comes first. `write` returns the ONNX file in which the layers
 * that it is given stay in float.
 */
export async function layerSensitivity(
  layers: readonly string[],
  write: (keepFloat: (layer: string) => boolean) => OnnxContent,
  { x, shape, inputs, targets, answers }: LabelledSamples,
  task: Pick<Task, 'fields' | 'score' | 'scoreOf'>,
  session: SessionOptions,
  onProgress?: OnProgress,
): Promise<LayerSensitivity[]> {
  const whole = task.scoreOf(answers, targets);
  const power = answers.reduce((sum, value) => sum + value * value, 0) || 1;
  const found: LayerSensitivity[] = [];
  for (const layer of layers) {
    const model = new InferenceModel(
      write((other) => other !== layer),
      `${layer} in int8`,
      session,
    );
    const results = await model.run(modelFeeds(model, x, shape, inputs));
    const values = task.fields.map(
      ({ name }, i) => [name, results[model.outputs[i]!.name]!.data as Float32Array] as const,
    );
    const actual = joinedValues(Object.fromEntries(values), task.fields, shape[0]!);
    model.dispose();
    const error = actual.reduce((sum, value, i) => sum + (value - answers[i]!) ** 2, 0);
    found.push({ layer, noise: error / power, drop: gainOf(task.score, whole, task.scoreOf(actual, targets)) });
    onProgress?.('one layer alone in int8, layer', found.length, layers.length);
  }
  return found.sort((a, b) => b.noise - a.noise);
}
