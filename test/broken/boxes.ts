import { brightnessDetector } from '../support/detectors.ts';
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

const IMAGES = Array.from({ length: 8 }, (_, id) => ({ id, file_name: `${id}.png` }));
const CATEGORIES = [{ id: 1, name: 'cat' }, { id: 2, name: 'dog' }]; // prettier-ignore
const changed = (change: object): Record<string, Buffer | string> => ({
  ...pictures,
  'a.json': JSON.stringify({ images: IMAGES, categories: CATEGORIES, annotations: [], ...change }),
});

const NAMED = ', classes: [cat, dog]';
const YOLO = recipe('yolo', 'images', NAMED);
/** Pictures with a right file of boxes, and the line that follows in that of picture 3. */
const yolo = (line = ''): Record<string, Buffer | string> => ({
  ...pictures,
  'labels/2.txt': '0 0.5 0.5 0.1 0.1\n',
  'labels/3.txt': `1 0.5 0.5 0.1 0.1\n${line}\n`,
});

const voc = (xml: string): Record<string, Buffer | string> => ({
  'voc/JPEGImages/1.png': pictures['images/1.png']!,
  'voc/Annotations/1.xml': xml,
});
const object = (xmin: string): string =>
  `<annotation>\n<object><name>cat</name><bndbox>\n<xmin>${xmin}</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>\n</annotation>\n`;

/** A row of the layout yolo26: sides in pixels, score, class. */
const YOLO26 = [9, 9, 20, 20, 0.9, 0];
const taught = (decoder: string, more = ''): string => `${COCO}teacher: {onnx: t.onnx, decoder: ${decoder}${more}}\n`;
const taughtBy = (row: readonly number[]): Record<string, Buffer | string> => ({
  ...coco({}),
  't.onnx': Buffer.from(brightnessDetector(32, { output0: { dims: [1, 6], base: row } })),
});

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
  'annotations that are no JSON': {
    recipe: COCO,
    files: { ...pictures, 'a.json': '{"images": [' },
    message: [
      'a.json: not usable JSON: Unexpected end of JSON input (received 12 bytes)',
      'Get the file again, or export the annotations anew.',
    ],
  },
  'annotations without categories': {
    recipe: COCO,
    files: { ...coco({}), 'a.json': '{"images": [{"id": 1, "file_name": "1.png"}], "annotations": []}' },
    message: [
      'a.json: categories: expected array, received nothing',
      "Use annotations of boxes in COCO's format: an object with the lists `images`, `categories` and `annotations`.",
    ],
  },
  'annotations that are missing': {
    recipe: COCO,
    files: pictures,
    message: [
      'dataset.train.labels: a.json: cannot read it: no such file or folder',
      'Check the path; relative paths in a recipe start at the recipe file.',
    ],
  },
  'a box of three numbers': {
    recipe: COCO,
    files: coco({ bbox: [1, 1, 9] }),
    message: [
      'a.json: annotations[1].bbox: expected array to have >=4 items, received [1,1,9]',
      "Use annotations of boxes in COCO's format: an object with the lists `images`, `categories` and `annotations`.",
    ],
  },
  'a side that is a text': {
    recipe: COCO,
    files: coco({ bbox: [1, '1', 9, 9] }),
    message: [
      'a.json: annotations[1].bbox[1]: expected number, received "1"',
      "Use annotations of boxes in COCO's format: an object with the lists `images`, `categories` and `annotations`.",
    ],
  },
  'a reversed box': {
    recipe: COCO,
    files: coco({ bbox: [9, 9, -4, 4] }),
    message: ['a.json: annotations[1]: the box is reversed: xmin 9, ymin 9, xmax 5, ymax 13', 'Correct its corners.'],
  },
  'a box of an unknown category': {
    recipe: COCO,
    files: coco({ category_id: 3 }),
    message: [
      'a.json: annotations[1].category_id: no category of `categories` has the id 3',
      'Add the category, or correct the annotation.',
    ],
  },
  'a negative area of a box': {
    recipe: COCO,
    files: coco({ area: -1 }),
    message: [
      'a.json: annotations[1].area: expected number to be >=0, received -1',
      "Use annotations of boxes in COCO's format: an object with the lists `images`, `categories` and `annotations`.",
    ],
  },
  'a picture in two entries': {
    recipe: COCO,
    files: changed({ images: [IMAGES[0], { id: 9, file_name: './0.png' }] }),
    message: [
      'a.json: images[1]: the picture images/0.png is that of a.json: images[0] too',
      'List every picture once.',
    ],
  },
  'an id of two pictures': {
    recipe: COCO,
    files: changed({ images: [IMAGES[0], { id: 0, file_name: '1.png' }] }),
    message: [
      'a.json: images[1].id: 0 is that of [0] too',
      'List every entry once, each with an id and a name of its own.',
    ],
  },
  'a category twice': {
    recipe: COCO,
    files: changed({ categories: [...CATEGORIES, { id: 3, name: 'cat' }] }),
    message: [
      'a.json: categories[2].name: "cat" is that of [0] too',
      'List every entry once, each with an id and a name of its own.',
    ],
  },
  'a picture that is missing': {
    recipe: COCO,
    files: changed({ images: [...IMAGES, { id: 9, file_name: '9.png' }] }),
    message: ['a.json: images[8]: no picture images/9.png', 'Get the picture, or remove its annotations.'],
  },
  'a picture of another size than its annotations': {
    recipe: COCO,
    files: changed({ images: [{ ...IMAGES[0], height: 41, width: 40 }] }),
    message: [
      'a.json: images[0]: the picture is 41x40 (height x width), and images/0.png is 40x40',
      'Use the picture that was annotated, or correct its size.',
    ],
  },
  'a picture that is none': {
    recipe: COCO,
    files: { ...coco({}), 'images/3.png': 'no picture' },
    message: [
      'images/3.png: cannot decode the image: Input file contains unsupported image format',
      'Get the file again or remove it, together with its annotations; PNG, JPEG and WebP are read.',
    ],
  },
  'data of YOLO that are no YAML': {
    recipe: recipe('yolo', 'd.yaml'),
    files: { ...yolo(), 'd.yaml': 'train: [images' },
    message: [
      'd.yaml: not usable YAML: Flow sequence in block collection must be sufficiently indented and end with a ] at line 1, column 15:',
      'Correct it.',
    ],
  },
  'data of YOLO without names': {
    recipe: recipe('yolo', 'd.yaml'),
    files: { ...yolo(), 'd.yaml': 'train: images\n' },
    message: [
      'd.yaml: names: expected the names of the classes, as a list or by their numbers, received nothing',
      'Use a data.yaml of YOLO: with the keys train, val and names.',
    ],
  },
  'data of YOLO with another number of names': {
    recipe: recipe('yolo', 'd.yaml'),
    files: { ...yolo(), 'd.yaml': 'train: images\nnc: 3\nnames: [cat, dog]\n' },
    message: ['d.yaml: nc: there are 3 classes, and 2 names', 'Name every class once.'],
  },
  'data of YOLO with a gap in its names': {
    recipe: recipe('yolo', 'd.yaml'),
    files: { ...yolo(), 'd.yaml': 'train: images\nnames: {0: cat, 2: dog}\n' },
    message: ['d.yaml: names: no name for class 1 of 2', 'Number the classes from 0.'],
  },
  'data of YOLO without a place of the split': {
    recipe: recipe('yolo', 'd.yaml'),
    files: { ...yolo(), 'd.yaml': 'val: images\nnames: [cat, dog]\n' },
    message: [
      'd.yaml: train: expected the place of its pictures, received none',
      'Add it to the file, or name other files in the recipe.',
    ],
  },
  'data of YOLO whose folder is missing': {
    recipe: recipe('yolo', 'd.yaml'),
    files: { ...yolo(), 'd.yaml': 'train: nowhere\nnames: [cat, dog]\n' },
    message: [
      'd.yaml: train: no folder or list "nowhere", neither nowhere',
      'Correct it, or `path`, which starts at the folder of the file.',
    ],
  },
  'a folder of YOLO whose classes nothing names': {
    recipe: recipe('yolo', 'images'),
    files: yolo(),
    message: [
      'images: boxes have numbers of classes, and nothing names the classes',
      'Name a data.yaml in place of the folder, or the classes in the order of their numbers as `classes`, or write a name on each line of a file `classes.txt` beside the folders of pictures and labels.',
    ],
  },
  'a folder of YOLO without boxes': {
    recipe: YOLO,
    files: pictures,
    message: [
      'images: none of its pictures has a file of boxes; the first such file would be labels/0.txt',
      'Put the text files of boxes into a folder `labels` beside the folder `images`, or name a folder without boxes as `unlabelled`.',
    ],
  },
  'a class of YOLO that has no name': {
    recipe: YOLO,
    files: yolo('2 0.5 0.5 0.1 0.1'),
    message: [
      'labels/3.txt:2: the class is 2, and there are the classes 0 … 1',
      'Name all classes in the order of their numbers, or correct the class.',
    ],
  },
  'a word in place of a side of YOLO': {
    recipe: YOLO,
    files: yolo('0 0.5 half 0.1 0.1'),
    message: ['labels/3.txt:2: "half" is no number', 'Write class cx cy width height.'],
  },
  'a reversed box of YOLO': {
    recipe: YOLO,
    files: yolo('0 0.5 0.5 -0.1 0.1'),
    message: [
      'labels/3.txt:2: the box is reversed: xmin 0.55, ymin 0.45, xmax 0.45, ymax 0.55',
      'Correct its corners.',
    ],
  },
  'a box of YOLO in pixels': {
    recipe: YOLO,
    files: yolo('0 20 20 9 9'),
    message: [
      'labels/3.txt:2: less than a quarter of the box lies in its picture of 40x40 pixels (height x width): xmin 15.5, ymin 15.5, xmax 24.5, ymax 24.5 as shares of its sides',
      'Correct its corners, or its picture; were they measured in a picture of another size?',
    ],
  },
  'a list of YOLO that names a picture twice': {
    recipe: recipe('yolo', 'l.txt', NAMED),
    files: { ...yolo(), 'l.txt': 'images/1.png\nimages/2.png\nimages/1.png\n' },
    message: ['l.txt:3: images/1.png is in line 1 too', 'List every picture once.'],
  },
  'a list of YOLO that names a missing picture': {
    recipe: recipe('yolo', 'l.txt', NAMED),
    files: { ...yolo(), 'l.txt': 'images/1.png\nimages/9.png\n' },
    message: ['l.txt:2: no picture images/9.png', 'Paths start at the folder of the list.'],
  },
  'annotations of Pascal VOC that are no XML': {
    recipe: recipe('voc', 'voc'),
    files: voc('<annotation>\n<object>'),
    message: [
      'voc/Annotations/1.xml:2: not usable XML: <object> of line 2 does not end',
      'Get the file again, or export the annotations anew.',
    ],
  },
  'annotations of Pascal VOC with a document type': {
    recipe: recipe('voc', 'voc'),
    files: voc('<!DOCTYPE a [<!ENTITY b "c">]><annotation/>'),
    message: [
      'voc/Annotations/1.xml:1: not usable XML: unexpected <!DOCTYPE a [<!ENTITY b "c">]><annotatio',
      'Get the file again, or export the annotations anew.',
    ],
  },
  'a corner of Pascal VOC that is no number': {
    recipe: recipe('voc', 'voc'),
    files: voc(object('left')),
    message: [
      'voc/Annotations/1.xml:3: <xmin> is "left", expected a number',
      "Use annotations of boxes in Pascal VOC's format.",
    ],
  },
  'a reversed box of Pascal VOC': {
    recipe: recipe('voc', 'voc'),
    files: voc(object('30')),
    message: ['voc/Annotations/1.xml:2: the box is reversed: xmin 29, ymin 0, xmax 9, ymax 9', 'Correct its corners.'],
  },
  'an object of Pascal VOC of another class': {
    recipe: recipe('voc', 'voc', ', classes: [dog, fox]'),
    files: voc(object('1')),
    message: [
      'voc/Annotations/1.xml:2: unknown label "cat", expected one of 2 classes: dog, fox',
      'Every label must occur in train or be listed as `classes` in the recipe.',
    ],
  },
  'pictures of no multiple of 32': {
    recipe: COCO.replace('[32, 32]', '[40, 40]'),
    files: coco({}),
    message: [
      'model det-nano takes pictures whose height and width are multiples of 32, received 40×40',
      'Set `dataset.resize`.',
    ],
  },
  'no size of pictures for boxes': {
    recipe: COCO.replace(', resize: [32, 32]', ''),
    files: coco({}),
    message: [
      'model det-nano takes pictures whose height and width are multiples of 32, received 40×40',
      'Set `dataset.resize`.',
    ],
  },
  'boxes whose pictures are mixed': {
    recipe: recipe('coco', '{images: images, labels: a.json}', ', augment: [{mixup: 0.2}]'),
    message: [
      'r.yaml:1:128 dataset.augment[0]: expected another change for detection, whose targets mixup does not mix, received mixup',
      'Change dataset.augment[0], or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'a student that gives no boxes': {
    recipe: COCO.replace('det-nano', 'mlp'),
    files: coco({}),
    message: [
      'model mlp answers for each sample, and the task asks for an answer for each point',
      'Choose det-nano or det-small.',
    ],
  },
  'a loss of classes for boxes': {
    recipe: taught('yolo26').replace('epochs: 1', 'epochs: 1, loss: dkd'),
    files: coco({}),
    message: [
      'r.yaml:3:28 distill.loss: expected a loss for detection: kd or hint or frs or pkd or cwd or vkd or rkd or sp or mgd or reviewkd or attention, received dkd',
      'Change distill.loss, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'classes as outputs of a detector': {
    recipe: `${COCO}outputs: classes\n`,
    files: coco({}),
    message: [
      'r.yaml:4:10 outputs: expected detections or logits for detection, received classes',
      'Change outputs, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'a layout of detectors that is unknown': {
    recipe: taught('yolov5'),
    message: [
      'r.yaml:4:34 teacher.decoder: expected one of yolov8, yolox, yolo26, detr, ssd or a mapping, received "yolov5"',
      'Change teacher.decoder, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'a setting that a layout does not read': {
    recipe: taught('{layout: yolo26, overlap: 0.5}'),
    message: [
      'r.yaml:4:60 teacher.decoder.overlap: expected no such key beside yolo26: it belongs to yolov8, yolox, received 0.5',
      'Take teacher.decoder.overlap out.',
    ],
  },
  'a layout whose output the teacher lacks': {
    recipe: taught('yolo26', ', output: c'),
    files: taughtBy(YOLO26),
    message: ['teacher.output: t.onnx has no output c', 'It has: output0 [batch, 1, 6].'],
  },
  'a teacher of another layout': {
    recipe: taught('yolov8', ', classes: [cat, dog, fox]'),
    files: taughtBy(YOLO26),
    message: [
      't.onnx: expected [7, points], the sides and 3 classes for each picture, received output0 [1, 6]',
      'Name the layout of the file in teacher.decoder and its classes in teacher.classes, in their order, even those that the data set lacks.',
    ],
  },
  'a teacher whose boxes are in another unit': {
    recipe: taught('{layout: yolo26, unit: shares}'),
    files: taughtBy(YOLO26),
    message: [
      't.onnx: expected boxes in shares, received sides of at most 20.00 in a picture',
      'Set `unit: pixels` in teacher.decoder.',
    ],
  },
  'a teacher whose scores are no probabilities': {
    recipe: taught('yolo26'),
    files: taughtBy([9, 9, 20, 20, 7, 0]),
    message: [
      't.onnx: expected probabilities as scores of boxes, received 7.000 in output0',
      'Export the detector up to its probabilities, or name its layout in teacher.decoder.',
    ],
  },
  'a teacher that lacks a class': {
    recipe: taught('yolo26', ', classes: [cat, fox]'),
    files: taughtBy(YOLO26),
    message: [
      't.onnx: expected every class of the data set once among those of the detector, 2 names, received none named dog',
      'Name the classes of the detector in teacher.classes, in the order of the file and in the words of the data set; others may have any name.',
    ],
  },
  'a teacher of more classes than are named': {
    recipe: taught('yolo26'),
    files: taughtBy([9, 9, 20, 20, 0.9, 5]),
    message: [
      't.onnx: expected labels from 0 to 1 for 2 classes, received 5 in output0',
      'Name the classes of the file in teacher.classes, in their order, even those that the data set lacks; teacher.decoder.firstLabel of the layout ssd is the number of the first.',
    ],
  },
};
