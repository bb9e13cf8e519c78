import { fakes } from '../../support/fake-page.ts';
import { cosinesBetween, mostAlike, shown } from '../../../src/answers/vector/shown.ts';

it('samples are as alike as the cosine of their vectors is large, whatever their lengths', () => {
  const cosines = cosinesBetween([[3, 0], [0, 2], [1, 1], [0, 0]]); // prettier-ignore
  const half = expect.closeTo(Math.SQRT1_2, 6) as number;
  expect(cosines).toEqual([[1, 0, half, 0], [0, 1, half, 0], [half, half, expect.closeTo(1, 6), 0], [0, 0, 0, 0]]); // prettier-ignore
  const samples = ['a', 'b', 'c', 'd'].map((label) => ({ label }));
  expect(mostAlike({ samples, cosines })).toBe('Most alike: a and c, 0.71.');
  expect(mostAlike({ samples: samples.slice(0, 1), cosines: [[1]] })).toBeUndefined();
});

it('several samples are compared in a sentence and a table, one is shown by its first numbers', () => {
  const samples = [{ label: 'a' }, { label: 'b' }];
  const compared = shown.compared!([{ embedding: [1, 0] }, { embedding: [1, 1] }], samples);
  expect(compared.sentence).toBe('Most alike: a and b, 0.71.');
  expect(fakes(compared.elements(0))[0]!.text).toMatch(/Cosine 1 2 .*1\. a – 0\.71 .*2\. b 0\.71 –/);
  expect(shown.compared!([{ embedding: [1] }], samples.slice(0, 1)).sentence).toMatch(/Add a second sample/);
  const alone = shown.shown({ embedding: [1, 0.25] }, undefined);
  expect(fakes(alone.elements(0))[0]!.text).toBe('1.000, 0.250, … (2 numbers)');
});
