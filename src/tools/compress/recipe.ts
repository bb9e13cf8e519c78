import type { RecipeInput } from '../../recipe/schema.ts';
import { taskRow } from '../../recipe/task.ts';
import type { Budget } from './budget.ts';
import type { Cuts } from './plan.ts';
import { askedAs } from './samples.ts';

/** Choices from which a compression's recipe is made. */
export interface CompressChoices {
  readonly name: string;
  readonly model: string;
  readonly dataset: RecipeInput['dataset'];
  readonly budget: Budget;
  readonly cuts: Cuts;
  /** True if the file has batch norms; exporters may have folded them into the layers before. */
  readonly hasNorms: boolean;
  /** True if a file with probabilities is wanted beside each file with logits. */
  readonly probabilities: boolean;
  /** Epochs of fine-tuning after each cut, and of quantization-aware training. 0: no training. */
  readonly epochs: number;
  readonly seed: number;
  readonly formats: readonly ('onnx' | 'tflite')[];
}

/** Largest factor of a single step: fine-tuning does not recover from larger cuts. */
const STEP = 1.5;

/**
 * Learning rate after a cut. A residual net with batch norms, `resnet-small` of bench/compress.ts, was cut five times without labels, to a quarter of
 * its multiply-accumulates and a seventh of its parameters, with two seeds: at 0.003 it agreed with the original on 96.1 and 96.0 % of the test
 * split, at 0.001 on 92.5 and 95.4 %; its accuracy on Fashion-MNIST's test pictures was 86.1 and 85.8 %, at 0.001 84.9 and 85.9 %, and 87.6 % before.
 * Without batch norms a training tolerates less.
 */
const RATES = { normalized: 0.003, folded: 0.001 };

/**
 * The recipe of a compression: the model is its own teacher and student, loses channels in steps with distillation after each, and is quantized after
 * training, or with training if that loses too much. An ordinary run follows it.
 */
export function compressRecipe({
  name,
  model,
  dataset,
  budget,
  cuts,
  hasNorms,
  probabilities,
  epochs,
  seed,
  formats,
}: CompressChoices): RecipeInput {
  const { drop } = budget;
  const learningRate = RATES[hasNorms ? 'normalized' : 'folded'];
  const { answersPer, temperature = 2 } = taskRow(dataset.task);
  // A detector answers about some hundred points of each picture.
  const batchSize = answersPer === 'point' ? 16 : 64;
  const step = {
    type: 'channels',
    // Fisher draws classes from answers about whole samples.
    importance: answersPer === 'sample' ? 'fisher' : 'taylor',
    finetune: { epochs, optimizer: { learningRate, schedule: 'cosine', warmup: 0.1 } },
    maxDrop: drop / 2,
    fallback: 'skip',
  } as const;
  const steps = (target: 'macs' | 'parameters', factor: number) => {
    const count = Math.ceil(Math.log(factor) / Math.log(STEP));
    return Array.from({ length: count }, () => ({ ...step, target, amount: 1 - factor ** (-1 / count) }));
  };
  return {
    name,
    seed,
    dataset,
    teacher: { onnx: model, normalize: askedAs(dataset.normalize) },
    student: { onnx: model },
    baseline: false,
    distill: { temperature, alpha: dataset.labelledBy === undefined ? 0.9 : 1, epochs: 0, batchSize },
    prune: [...steps('macs', cuts.macs), ...steps('parameters', cuts.parameters)],
    quantize: [
      {
        scheme: 'int8',
        maxDrop: drop / 2,
        ...(epochs === 0 ? { fallback: 'keep-float' } : { fallback: 'qat', qat: { epochs } }),
      },
    ],
    export: [...formats],
    ...(probabilities && { outputs: 'probabilities' }),
    report: { latency: { batchSizes: [1], threads: [1] } },
  };
}
