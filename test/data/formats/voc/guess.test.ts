import { seenFolder } from '../../../support/seen-data.ts';

const { files, seenIn } = seenFolder();

it('data with boxes are folders or lists of Pascal VOC', async () => {
  await files('v/JPEGImages/1.jpg', 'v/Annotations/1.xml');
  expect(await seenIn('v')).toEqual({ type: 'voc', why: 'v holds JPEGImages and Annotations', notes: [] });
  await files('studio/images/1.jpg', 'studio/Annotations/1.xml');
  expect((await seenIn('studio'))?.why).toBe('studio holds images and Annotations');
  await files('v/ImageSets/Main/default.txt');
  expect((await seenIn('v'))?.splits).toEqual({ train: 'ImageSets/Main/default.txt' });
  await files('v/ImageSets/Main/trainval.txt', 'v/ImageSets/Main/test.txt');
  const lists = { train: 'ImageSets/Main/trainval.txt', test: 'ImageSets/Main/test.txt' };
  expect((await seenIn('v'))?.splits).toEqual(lists);
  for (const split of ['train', 'test']) await files(`w/${split}/JPEGImages/1.jpg`, `w/${split}/Annotations/1.xml`);
  expect(await seenIn('w')).toMatchObject({ type: 'voc', splits: { train: 'train', test: 'test' } });
});
