import path from 'node:path';
import type { NodeProgram } from './program.ts';

/** Program for answers that are numbers, each with a name. */
export const node: NodeProgram = {
  name: 'predict',
  DOES: 'Predicts',
  LABELS: 'names',
  ASKS: 'predict',
  parts: path.join(import.meta.dirname, 'samples/predict.mjs'),
};
