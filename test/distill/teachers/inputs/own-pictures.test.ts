import { seenAs } from '../../../../src/distill/teachers/inputs/own-pictures.ts';

const normalization = { scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] };
const boxes = { sampleShape: [32, 64, 3], normalization, maxBoxes: 5, fit: 'letterbox' } as const;

it('a teacher of boxes sees pictures of the proportions of the data, at its own size', () => {
  const { form } = seenAs(boxes, { resize: [64, 128] });
  expect(form.sampleShape).toEqual([64, 128, 3]);
  expect(form.resizing).toMatchObject({ fit: 'letterbox' });
  expect(() => seenAs(boxes, { resize: [64, 64] })).toThrow(
    'teacher.resize: expected the proportions of the data, 32x64, received 64x64',
  );
  expect(seenAs({ ...boxes, fit: undefined }, { resize: [64, 64] }).form.resizing).toBeUndefined();
});

it('a teacher of boxes sees no middle of a picture, where boxes would lie elsewhere', () => {
  for (const fit of ['letterbox', undefined] as const)
    expect(() => seenAs({ ...boxes, fit }, { resize: [32, 64], cutFrom: 80 })).toThrow('teacher.cutFrom: boxes lie');
});
