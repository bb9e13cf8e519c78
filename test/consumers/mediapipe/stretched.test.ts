import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { exportTflite } from '../../../src/formats/tflite/export.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import { loadData } from '../../../src/setup/data.ts';
import { makeRecipe } from '../../../src/setup/make-recipe.ts';
import { stretchNotes } from '../../../src/consumers/mediapipe/stretched.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

const SIDE = 32;
const POINTS = 16 + 4 + 1;

/** TFLite file whose first point has a box of half the height and width in the middle of its input, whatever it is shown. */
function detector(): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: [1, SIDE, SIDE, 3] });
  const flat = b.op('Reshape', [x], { shape: [1, 1, SIDE * SIDE * 3] });
  const first = b.op('Slice', [flat], { begin: [0, 0, 0], size: [1, 1, 1] });
  const nothing = b.op('Multiply', [first, b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(0))]);
  const answer = (name: string, values: readonly number[]): void => {
    const constant = b.constant(
      { dtype: 'float32', shape: [1, POINTS, values.length / POINTS] },
      Float32Array.from(values),
    );
    b.output(name, b.op('Add', [nothing, constant]));
  };
  answer('boxes', Array.from({ length: POINTS }, (_, i) => (i === 0 ? [0.25, 0.25, 0.75, 0.75] : [0, 0, 0, 0])).flat());
  answer(
    'scores',
    Array.from({ length: POINTS }, (_, i) => (i === 0 ? 3 : -9)),
  );
  return exportTflite(b.build(), { precision: 'float32' }).bytes;
}

/** Notes about that detector, for pictures of this width and a height of 64, with an object over their middle half. */
async function notesOf(width: number, fit: string | undefined): Promise<string[]> {
  const source = { images: 'pictures', labels: 'boxes.json' };
  const images = Array.from({ length: 8 }, (_, id) => ({ id, file_name: `${id}.png`, width, height: 64 }));
  mkdirSync(at('pictures'), { recursive: true });
  for (const { file_name: name } of images)
    await sharp({ create: { width, height: 64, channels: 3, background: 'red' } })
      .png()
      .toFile(at(`pictures/${name}`));
  // What the detector finds in the letterboxed picture.
  const high = Math.min(64, width / 2);
  const bbox = [width / 4, (64 - high) / 2, width / 2, high];
  const annotations = images.map(({ id }) => ({ id, image_id: id, category_id: 1, bbox, area: 1, iscrowd: 0 }));
  writeFileSync(at('boxes.json'), JSON.stringify({ images, annotations, categories: [{ id: 1, name: 'thing' }] }));
  const dataset = {
    type: 'coco',
    task: 'detection',
    train: source,
    validation: source,
    resize: [SIDE, SIDE],
    ...(fit && { fit }),
  };
  const { recipe } = makeRecipe(
    { name: 'boxes', dataset, student: { model: 'det-nano' }, export: ['tflite'], outputs: 'detections' },
    folder(),
  );
  const { validation } = await loadData(recipe);
  return stretchNotes(recipe, validation, {
    row: { file: 'exports/m.tflite', precision: 'fp32' } as never,
    bytes: detector(),
  });
}

it('a letterboxed detector of wide pictures loses boxes in MediaPipe, and the note says how much', async () => {
  expect(await notesOf(128, 'letterbox')).toEqual([
    expect.stringMatching(
      /^Warning: the model was trained on letterboxed pictures, and MediaPipe stretches them: mAP 10\.00 % on stretched validation pictures, 100\.00 % on letterboxed ones\./,
    ),
  ]);
});

it('no note says so of square pictures, nor of a detector that learnt from stretched ones, as detectors for MediaPipe do by default', async () => {
  expect(await notesOf(64, 'letterbox')).toEqual([]);
  expect(await notesOf(128, undefined)).toEqual([]);
});
