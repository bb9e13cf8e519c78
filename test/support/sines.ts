import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TaskName } from '../../src/recipe/task.ts';
import { QUICK } from './digits.ts';

/** A table of three features and of columns that follow from them, each row from its number alone. */
export interface Sines {
  readonly task: TaskName;
  readonly label: readonly string[];
  readonly of: (a: number, b: number, c: number) => readonly number[];
  readonly test: number;
  /** Of the teacher's training. */
  readonly learningRate: number;
}

export function sineTable({ label, of }: Sines, rows: number, first: number): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const [a, b, c] = [1, 2.3, 3.7].map((step) => Math.sin(step * (first + i) + step)) as [number, number, number];
    return [a, b, c, ...of(a, b, c)].join(',');
  });
  return `a,b,c,${label.join(',')}\n${lines.join('\n')}\n`;
}

/** A recipe on 300 such rows, with a teacher that it trains; `change` replaces keys. */
export async function sineRecipe(folder: string, sines: Sines, change: object = {}) {
  await writeFile(path.join(folder, 'train.csv'), sineTable(sines, 300, 0));
  await writeFile(path.join(folder, 'test.csv'), sineTable(sines, sines.test, 300));
  return {
    name: sines.task,
    dataset: {
      ...{ type: 'csv', task: sines.task, train: 'train.csv', test: 'test.csv' },
      ...{ label: [...sines.label], validation: 60 },
    },
    teacher: {
      train: { model: 'mlp', hidden: [32], epochs: 20, batchSize: 32, optimizer: { learningRate: sines.learningRate } },
    },
    student: { model: 'mlp', hidden: [16] },
    distill: { epochs: 15, batchSize: 32, optimizer: { learningRate: 0.02 } },
    ...QUICK,
    ...change,
  };
}

/** Everything that a run can do to a student, with a loss that no step stops at. */
export const wholeWay = (maxDrop: number) => ({
  prune: [{ type: 'magnitude', amount: 0.2, maxDrop }],
  quantize: [
    { samples: 64, maxDrop },
    { method: 'qat', samples: 64, maxDrop },
  ],
  export: ['onnx', 'tflite'],
  report: { latency: { seconds: 0 }, pruningSensitivity: true },
});

/** A search of one round, within a loss that some student keeps to. */
export const SEARCH = {
  target: { sizeKb: 100, maxDrop: 100, widths: [1, 0.5], amounts: [0], rounds: 1 },
  report: { latency: { seconds: 0.2 } },
};
