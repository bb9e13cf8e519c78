import type { TargetValues } from '../../data/dataset.ts';
import { IGNORED } from '../../data/targets/ignored.ts';
import type { Grid } from './masks.ts';

/** Share of each class in the pixels of each cell, [n, cells · classes]; pixels without a class count in none. */
export function sharesOfCells(targets: TargetValues, { rows, columns, classes, stride }: Grid): Float32Array {
  const [height, width] = [rows * stride, columns * stride];
  const samples = targets.length / (height * width);
  const shares = new Float32Array(samples * rows * columns * classes);
  const one = 1 / (stride * stride);
  let at = 0;
  for (let sample = 0; sample < samples; sample++)
    for (let y = 0; y < height; y++) {
      const row = (sample * rows + Math.floor(y / stride)) * columns;
      for (let column = 0; column < columns; column++) {
        const cell = (row + column) * classes;
        for (const end = at + stride; at < end; at++) if (targets[at] !== IGNORED) shares[cell + targets[at]!]! += one;
      }
    }
  return shares;
}
