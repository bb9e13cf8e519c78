import { asPictures, fedShapes } from '../../src/data/axes.ts';

const texts = (sample: readonly number[]): string[] =>
  fedShapes(sample).map(({ layout, shape }) => `${layout} ${shape.join('x')}`);

it('a sample is fed as its axes are, with its channels first, and as one row', () => {
  expect(texts([6])).toEqual(['nhwc 6', 'nchw 6']);
  expect(texts([5, 3])).toEqual(['nhwc 5x3', 'nchw 3x5', 'nhwc 15', 'nchw 15']);
  expect(texts([4, 5, 3])).toEqual(['nchw 3x4x5', 'nhwc 4x5x3', 'nhwc 60', 'nchw 60']);
  expect(texts([4, 5, 1])).toEqual(['nchw 1x4x5', 'nhwc 4x5x1', 'nhwc 4x5', 'nchw 4x5', 'nhwc 20', 'nchw 20']);
  expect(texts([2, 4, 5, 3])).toEqual(['nchw 3x2x4x5', 'nhwc 2x4x5x3', 'nhwc 120', 'nchw 120']);
});

it('an array of two axes that is a picture gets an axis of one channel', () => {
  expect(asPictures({ sampleShape: [4, 5], source: 'x' })).toEqual({ sampleShape: [4, 5, 1], source: 'x' });
});
