import type { RecipeInput } from '../../recipe/schema.ts';
import type { Budget } from './budget.ts';
import type { Cuts } from './plan.ts';
import { askedAs } from './samples.ts';

/** Choices that the recipe of a compression is made from. */
export interface Choices {
  readonly name: string;
  readonly model: string;
  readonly dataset: RecipeInput['dataset'];
  readonly budget: Budget;
  readonly cuts: Cuts;
  /** Epochs of the fine-tuning after each cut, and of training with quantization. With 0 nothing is trained. */
  readonly epochs: number;
  readonly seed: number;
  readonly formats: readonly ('onnx' | 'tflite')[];
}

/** Largest factor that one step cuts by: more at once, and fine-tuning does not bring back what is lost. */
const STEP = 1.5;

const FINETUNE = { learningRate: 0.001, schedule: 'cosine', warmup: 0.1 } as const;

/**
 * The recipe of a compression: the model teaches itself. It is taken as it is, loses channels in steps with distillation after each,
 * and is quantized after training, with training where that loses too much. An ordinary run follows it.
 */
export function recipeOf({ name, model, dataset, budget, cuts, epochs, seed, formats }: Choices): RecipeInput {
  const { drop } = budget;
  const step = {
    type: 'channels',
    importance: 'fisher',
    finetune: { epochs, optimizer: FINETUNE },
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
    distill: { temperature: 2, alpha: dataset.labelledBy === undefined ? 0.9 : 1, epochs: 0, batchSize: 64 },
    prune: [...steps('macs', cuts.macs), ...steps('parameters', cuts.parameters)],
    quantize: [
      {
        ...{ scheme: 'int8', maxDrop: drop / 2 },
        ...(epochs === 0 ? { fallback: 'keep-float' } : { fallback: 'qat', qat: { epochs } }),
      },
    ],
    export: [...formats],
    report: { latency: { batchSizes: [1], threads: [1] } },
  };
}
