import type { Column, Dataset } from '../../src/data/dataset.ts';
import { completeRecipe } from '../../src/recipe/load.ts';
import type { ShipContext } from '../../src/ship/context.ts';
import { descriptionFrom, loadDescription } from '../../src/ship/description.ts';
import { onnxOptions } from '../../src/ship/metadata.ts';
import '../support/tasks.ts';

beforeAll(async () => {
  for (const form of ['mask', 'boxes']) await loadDescription(form);
});

function metadataOf(dataset: object, train: Partial<Dataset>): ReadonlyMap<string, string> {
  const { recipe } = completeRecipe(
    { name: 'r', dataset, student: { model: 'mlp' }, teacher: { onnx: 't.onnx' } },
    '/',
  );
  const data = { classNames: ['a', 'b'], train: { task: 'classification', classNames: ['a', 'b'], ...train } };
  return onnxOptions({ recipe, written: {}, data } as unknown as ShipContext).metadata;
}

it('files for tables name their columns, so that others can be told from them', () => {
  const table = { type: 'csv', train: 'a.csv' };
  const columnsOf = (columns: readonly Column[], sampleShape = [columns.length]) =>
    metadataOf(table, { columns, sampleShape }).get('columns');
  const named = [{ name: 'age' }, { name: 'income' }];
  expect(JSON.parse(columnsOf(named)!)).toEqual(named);
  expect(columnsOf([{ name: '0' }, { name: '2' }])).toBeUndefined();
  expect(columnsOf([{ name: 'x[0]' }, { name: 'x[1]' }])).toBeUndefined();
  expect(columnsOf(named, [1, 2, 1])).toBeUndefined();
});

it('files for sounds name their rate, in TFLite too', () => {
  const dataset = { type: 'audio-folder', train: 'a', rate: 8000, seconds: 1 };
  const metadata = metadataOf(dataset, { sampleShape: [8000, 1] });
  expect(metadata.get('sound')).toBe('{"rate":8000}');
  expect(descriptionFrom('r', metadata, 'input').entries!.get('sound')).toBe('{"rate":8000}');
});

it('files for letterboxed pictures name the grey beside them and the filter, in TFLite too', () => {
  const normalization = { scale: 1, mean: [0, 0, 0], std: [1, 1, 1] };
  const pictures = { type: 'image-folder', train: 'a' };
  const stated = (fit?: 'letterbox') =>
    metadataOf(pictures, { sampleShape: [32, 32, 3], normalization, ...(fit && { fit }) });
  const metadata = stated('letterbox');
  const expected = { shape: [32, 32, 3], fit: 'letterbox', letterbox: { grey: 114, filter: 'lanczos' } };
  expect(JSON.parse(metadata.get('preprocessing')!)).toEqual({ ...expected, ...normalization });
  expect(descriptionFrom('r', metadata, 'input').entries!.get('preprocessing')).toBe(metadata.get('preprocessing'));
  expect(descriptionFrom('r', stated(), 'input').entries).toBeUndefined();
});
