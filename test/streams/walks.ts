import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { QUICK } from '../support/digits.ts';

/** Rows of six people who walk, run and stand by turns. */
function walks(): string {
  const lines = Array.from({ length: 6 * 320 }, (_, i) => {
    const [person, t] = [Math.floor(i / 320), i % 320];
    const kind = Math.floor(t / 40) % 3;
    const x = [0.2, 1, 2][kind]! * Math.sin([0.1, 0.5, 0.9][kind]! * t + person);
    return [`p${person}`, x.toFixed(3), Math.cos(0.3 * t + person).toFixed(3), ['stand', 'walk', 'run'][kind]].join();
  });
  return ['person,x,y,activity', ...lines].join('\n');
}

/** A recipe on windows of 16 steps, written beside its data into a folder, whose student is a stream in both formats. */
export async function walksRecipe(folder: string, change: object = {}) {
  await writeFile(path.join(folder, 'walks.csv'), walks());
  return {
    name: 'walks',
    dataset: {
      ...{ type: 'csv', train: 'walks.csv', label: 'activity', testFraction: 0.2, validation: 0.2 },
      window: { steps: 16, stride: 8, group: 'person' },
    },
    student: { model: 'stream-ds-tcn', filters: 8, depth: 2 },
    distill: { epochs: 3, batchSize: 32 },
    export: [
      { format: 'onnx', stream: true },
      { format: 'tflite', stream: true },
    ],
    quantize: { samples: 64, maxDrop: 100 },
    ...QUICK,
    ...change,
  };
}
