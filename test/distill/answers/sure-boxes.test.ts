import type { Dataset } from '../../../src/data/dataset.ts';
import type { SoftTargets } from '../../../src/distill/answers/soft-targets.ts';
import { sureBoxes } from '../../../src/distill/answers/sure-boxes.ts';
import { ROW } from '../../../src/tasks/detection/suppression.ts';
import { taskOf } from '../../../src/tasks/registry.ts';
import { pictures } from '../../support/dataset.ts';

const boxes: Dataset = { ...pictures(), sampleShape: [32, 32, 3], task: 'detection', maxBoxes: 2 };
const asked = { ids: Int32Array.of(0), x: new Float32Array(0) };

function stored(width: number): SoftTargets {
  const row = new Float32Array(width);
  row.set([2, 0.75, 0, 0, 1, 1, 0, 0.5, 0, 0, 1, 1, 1, 0.25, 0, 0, 1, 1, -1]);
  return { width, answersFor: () => Promise.resolve({ teacherLogits: row }) };
}

it('boxes below a score do not teach', async () => {
  const taught = async (minConfidence?: number): Promise<readonly number[]> => {
    const { teacherLogits } = await sureBoxes(stored(ROW), boxes, minConfidence).answersFor(asked);
    return [0, 6, 12].map((at) => teacherLogits![at]!);
  };
  expect(await taught()).toEqual([2, 0, -1]);
  expect(await taught(0.6)).toEqual([2, -1, -1]);
  expect(await taught(0.01)).toEqual([2, 0, 1]);
});

it('answers at points all teach', () => {
  const dense = stored(taskOf(boxes).width);
  expect(sureBoxes(dense, boxes, undefined)).toBe(dense);
  expect(() => sureBoxes(dense, boxes, 0.5)).toThrow('distill.minConfidence: expected final boxes of a teacher');
});
