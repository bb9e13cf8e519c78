// Needs the feature points.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadDataset } from '../../../src/data/load.ts';
import { ROOT } from '../../support/built.ts';
import { temporaryFolder } from '../../support/folder.ts';
import '../../support/tasks.ts';

const folder = temporaryFolder();
const at = (...names: string[]): string => path.join(folder(), ...names);
const PICTURES = path.join(ROOT, 'datasets/puppets');
const SIZE = 64;

/** Rows of datasets/puppets: a picture, and x, y, visibility of each point. */
async function puppets(count: number) {
  const [head, ...lines] = (await readFile(path.join(PICTURES, 'train.csv'), 'utf8')).split('\n');
  const names = head!
    .split(',')
    .filter((name) => name.endsWith('_x'))
    .map((name) => name.slice(0, -2));
  const rows = lines.slice(0, count).map((line) => {
    const [file, ...numbers] = line.split(',');
    return { file: file!, places: names.map((_, i) => numbers.slice(3 * i, 3 * i + 3).map(Number)) };
  });
  return { head: head!, lines: lines.slice(0, count), names, rows };
}

function boxOf(places: readonly (readonly number[])[]): [left: number, top: number, width: number, height: number] {
  const seen = places.filter(([, , visibility]) => visibility !== 0);
  const [xs, ys] = [seen.map(([x]) => x!), seen.map(([, y]) => y!)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return [left, top, Math.max(...xs) - left, Math.max(...ys) - top];
}

it('CSV, key points of COCO and YOLO pose give the same places of the same pictures', async () => {
  const { head, lines, names, rows } = await puppets(6);
  await writeFile(at('p.csv'), [head, ...lines.map((line) => path.join(PICTURES, line))].join('\n'));
  const annotations = rows.map(({ places }, i) => {
    const bbox = boxOf(places);
    return {
      id: i + 1,
      image_id: i + 1,
      category_id: 1,
      iscrowd: 0,
      area: 0.53 * bbox[2] * bbox[3],
      bbox,
      keypoints: places.flat(),
      num_keypoints: 11,
    };
  });
  const images = rows.map(({ file }, i) => ({ id: i + 1, file_name: file, width: SIZE, height: SIZE }));
  const categories = [{ id: 1, name: 'puppet', keypoints: names, skeleton: [] }];
  await writeFile(at('p.json'), JSON.stringify({ images, annotations, categories }));
  for (const part of ['images', 'labels']) await mkdir(at('yolo', part), { recursive: true });
  for (const { file, places } of rows) {
    const [left, top, width, height] = boxOf(places);
    const numbers = [left + width / 2, top + height / 2, width, height].map((value) => value / SIZE);
    const points = places.flatMap(([x, y, visibility]) => [x! / SIZE, y! / SIZE, visibility!]);
    const stem = path.basename(file, '.jpg');
    await writeFile(at('yolo/images', `${stem}.jpg`), await readFile(path.join(PICTURES, file)));
    await writeFile(at('yolo/labels', `${stem}.txt`), [0, ...numbers, ...points].join(' '));
  }
  const listed = names.map((name) => JSON.stringify(name)).join(', ');
  await writeFile(
    at('yolo/data.yaml'),
    `path: .\ntrain: images\nnames: [puppet]\nkpt_shape: [11, 3]\nkpt_names: { 0: [${listed}] }\n`,
  );
  const read = async (train: unknown) => {
    const config = { type: 'points', task: 'points', train, resize: [SIZE, SIZE], validation: 1, seed: 1 };
    const { train: own, validation } = await loadDataset(config as never);
    return [own, validation].flatMap((split) =>
      Array.from((split as unknown as { targets: Float32Array }).targets, (value) => Math.fround(value)),
    );
  };
  const csv = await read(at('p.csv'));
  expect(csv.length).toBeGreaterThan(6 * 3 * names.length - 1);
  expect(await read({ images: PICTURES, labels: at('p.json') })).toEqual(csv);
  const yolo = await read(at('yolo/data.yaml'));
  expect(yolo).toHaveLength(csv.length);
  yolo.forEach((value, i) => expect(value).toBeCloseTo(csv[i]!, 4));
});
