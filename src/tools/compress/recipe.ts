import type { RecipeInput } from '../../recipe/schema.ts';
import type { Budget } from './budget.ts';
import { INT8 } from './budget.ts';
import { askedAs } from './samples.ts';

/** Choices that the recipe of a compression is made from. */
export interface Compression {
  readonly name: string;
  readonly model: string;
  readonly dataset: RecipeInput['dataset'];
  readonly budget: Budget;
  /** Epochs of the fine-tuning after each cut, and of training with quantization. */
  readonly epochs: number;
  readonly seed: number;
  readonly formats: readonly ('onnx' | 'tflite')[];
}

/** Narrower layers are not quite as much faster as they have less to compute. */
const MARGIN = 1.2;

/** Cuts in two steps: should the second lose too much, the first still stands. */
const STEPS = 2;

const FINETUNE = { learningRate: 0.001, schedule: 'cosine', warmup: 0.1 } as const;

/**
 * The recipe of a compression: the model teaches itself. It is taken as it is, loses channels in steps with distillation after each,
 * and is quantized after training, with training where that loses too much. An ordinary run follows it.
 */
export function recipeOf({ name, model, dataset, budget, epochs, seed, formats }: Compression): RecipeInput {
  const { size, latency, drop } = budget;
  const step = {
    type: 'channels',
    importance: 'taylor',
    finetune: { epochs, optimizer: FINETUNE },
    maxDrop: drop / 2,
    fallback: 'skip',
  } as const;
  const faster = latency === 1 ? 1 : latency * MARGIN;
  // Whatever takes multiply-accumulates takes about as many parameters.
  const smaller = size / INT8 / faster;
  const cuts = (target: 'macs' | 'parameters', factor: number, steps: number) => {
    if (factor <= 1) return [];
    return Array.from({ length: steps }, () => ({ ...step, target, amount: 1 - factor ** (-1 / steps) }));
  };
  return {
    name,
    seed,
    dataset,
    teacher: { onnx: model, normalize: askedAs(dataset.normalize) },
    student: { onnx: model },
    baseline: false,
    distill: { temperature: 2, alpha: dataset.labelledBy === undefined ? 0.9 : 1, epochs: 0, batchSize: 64 },
    prune: [...cuts('macs', faster, STEPS), ...cuts('parameters', smaller, 1)],
    quantize: [{ scheme: 'int8', maxDrop: drop / 2, fallback: 'qat', qat: { epochs } }],
    export: [...formats],
    report: { latency: { batchSizes: [1], threads: [1] } },
  };
}
