import { png } from './files.ts';
import type { Case } from './files.ts';

const REST = 'student: {model: det-nano}\ndistill: {epochs: 1}\n';
const recipe = (type: string, train: string, more = ''): string =>
  `dataset: {type: ${type}, task: detection, train: ${train}, resize: [32, 32], testFraction: 0.2${more}}\n${REST}`;
const pictures = Object.fromEntries(
  await Promise.all(Array.from({ length: 8 }, async (_, i) => [`images/${i}.png`, await png(40)] as const)),
);

const COCO = recipe('coco', '{images: images, labels: a.json}');
const coco = (annotation: object): Record<string, Buffer | string> => ({
  ...pictures,
  'a.json': JSON.stringify({
    images: Array.from({ length: 8 }, (_, id) => ({ id, file_name: `${id}.png` })),
    categories: [{ id: 1, name: 'cat' }, { id: 2, name: 'dog' }],
    annotations: [{ image_id: 1, category_id: 1, bbox: [1, 1, 9, 9] }, { image_id: 2, category_id: 2, bbox: [1, 1, 9, 9], ...annotation }],
  }),
}); // prettier-ignore

/** Boxes with a class each. */
export const boxes: Readonly<Record<string, Case>> = {
  'a box of an unknown picture': {
    recipe: COCO,
    files: coco({ image_id: 77 }),
    message: [
      'a.json: annotations[1].image_id: no picture of `images` has the id 77',
      'Add the picture, or remove the annotation.',
    ],
  },
  'a box outside of its picture': {
    recipe: COCO,
    files: coco({ bbox: [50, 1, 9, 9] }),
    message: [
      'a.json: annotations[1]: less than a quarter of the box lies in its picture of 40x40 pixels (height x width): xmin 50, ymin 1, xmax 59, ymax 10',
      'Correct its corners, or its picture; were they measured in a picture of another size?',
    ],
  },
  'more boxes than there is place for': {
    recipe: recipe('coco', '{images: images, labels: a.json}', ', maxBoxes: 1'),
    files: coco({ image_id: 1 }),
    message: [
      'a.json: images[1]: the picture has 2 boxes, expected at most 1 (dataset.maxBoxes)',
      'Set `dataset.maxBoxes: 2`, the largest number of boxes of a picture in a.json.',
    ],
  },
  'no annotations': {
    recipe: recipe('coco', '{images: images}'),
    files: pictures,
    message: [
      'r.yaml:1:47 dataset.train.labels: expected text, received nothing',
      'Name the file of labels; samples without labels stand under `unlabelled`, and with `labelled: 0` no split needs labels.',
    ],
  },
  'a polygon of YOLO': {
    recipe: recipe('yolo', 'images', ', classes: [cat, dog]'),
    files: { ...pictures, 'labels/3.txt': '0 0.5 0.5 0.1 0.1\n1 0.1 0.1 0.2 0.2 0.3 0.1\n' },
    message: [
      'labels/3.txt:2: expected a box of five numbers, class cx cy width height, received 7: "1 0.1 0.1 0.2 0.2 0.3 0.1"',
      'Polygons, key points and boxes with a score are not read: export the labels as boxes.',
    ],
  },
  'an annotation of Pascal VOC without a box': {
    recipe: recipe('voc', 'voc'),
    files: {
      'voc/JPEGImages/1.png': pictures['images/1.png']!,
      'voc/Annotations/1.xml': '<annotation>\n<object><name>cat</name></object>\n</annotation>\n',
    },
    message: [
      'voc/Annotations/1.xml:2: <object> has 0 elements <bndbox>, expected one',
      "Use annotations of boxes in Pascal VOC's format.",
    ],
  },
  'boxes for another task': {
    recipe: recipe('voc', 'voc').replace('task: detection, ', ''),
    message: [
      'r.yaml:1:17 dataset.type: expected another type for classification: such files have boxes around objects, for which task is detection, received voc',
      'Change dataset.type, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'mirrored parts of objects': {
    recipe: recipe('voc', 'voc', ', augment: [{crop: {padding: 4, edge: reflect}}]'),
    message: [
      'r.yaml:1:124 dataset.augment[0].crop.edge: expected black for detection: mirrored parts of objects would have no box, received reflect',
      'Change dataset.augment[0].crop.edge, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
};
