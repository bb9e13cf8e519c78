import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { saveTfjs } from './saved-tfjs.ts';

/** A teacher of the data of `tiny.ts` that is right, in `teacher/model.json`. */
export async function writeTeacher(folder: string): Promise<void> {
  const model = sequential();
  const kernelInitializer = initializers.constant({ value: 1 });
  model.add(layers.dense({ units: 2, inputShape: [2], kernelInitializer, name: 'logits' }));
  model.setWeights([tensor2d([-3, 3, -3, 3], [2, 2]), tensor1d([0, 0])]);
  await mkdir(path.join(folder, 'teacher'));
  await saveTfjs(model, path.join(folder, 'teacher'));
}
