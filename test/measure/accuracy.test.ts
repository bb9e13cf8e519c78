import { accuracyOf, logitsOf } from '../../src/measure/accuracy.ts';
import { agreement, classesOf, perClassOf } from '../../src/tasks/classes.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { pictures } from '../support/dataset.ts';
import { pictureTeacher } from '../support/onnx.ts';

describe('accuracy of a file', () => {
  const open = (order = [0, 1, 2]) =>
    new InferenceModel(pictureTeacher({ order }), 'x', { executionProviders: ['cpu'] });

  it('is the share of samples that it has right', async () => {
    expect(await accuracyOf(open(), pictures(301))).toBe(1);
    expect(await accuracyOf(open([1, 0, 2]), pictures(300))).toBeCloseTo(1 / 3);
  });

  it('comes from logits in the order of the data set, over several batches', async () => {
    const dataset = pictures(301);
    expect(classesOf(await logitsOf(open(), dataset), 3)).toEqual(dataset.targets);
    expect(await logitsOf(open(), dataset, 10)).toHaveLength(30);
  });

  it('is told class by class', () => {
    const labels = Int32Array.of(0, 0, 2, 2, 2);
    expect(perClassOf(Int32Array.of(0, 1, 2, 2, 0), labels, 3)).toEqual({ samples: [2, 0, 3], right: [1, 0, 2] });
  });

  it('takes the first of equal logits', () => {
    expect(classesOf(Float32Array.of(1, 1, 0, 0, 2, 2), 3)).toEqual(Int32Array.of(0, 1));
    expect(agreement(Int32Array.of(1, 2, 3, 4), Int32Array.of(1, 0, 3, 4))).toBe(0.75);
  });
});
