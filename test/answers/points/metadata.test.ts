// Needs the feature points.
import { completeRecipe } from '../../../src/recipe/load.ts';
import type { ShipContext } from '../../../src/ship/context.ts';
import { onnxOptions } from '../../../src/ship/metadata.ts';
import '../../support/tasks.ts';

it('files of points say that they answer with points: rows of logits would be read as classes', () => {
  const classNames = ['tip', 'base'];
  const dataset = { type: 'points', task: 'points', train: 'a.csv' };
  const { recipe } = completeRecipe({ name: 'r', dataset, student: { model: 'points-nano' } }, '/');
  const points = { skeleton: [[0, 1]], partners: [0, 1], sigmas: [0.05, 0.05], pck: [0.05] };
  const train = { task: 'points', classNames, points, sampleShape: [32, 32, 3] };
  const { metadata } = onnxOptions({ recipe, written: {}, data: { classNames, train } } as unknown as ShipContext);
  expect([metadata.get('task'), metadata.get('targets')]).toEqual(['points', '["tip","base"]']);
  expect(metadata.get('skeleton')).toBe('[[0,1]]');
});
