import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inClassOrder } from '../../../src/files/class-order.ts';
import { orderBetween, orderOfRows } from '../../../src/observers/shadow/shadow.ts';
import { transferClasses } from '../../../src/observers/shadow/transfer-recipe.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();
const stating = (labels?: readonly string[]) => ({
  name: 'student',
  file: 'teacher.onnx',
  metadata: new Map(labels && [['labels', JSON.stringify(labels)]]),
});

it('a shadow answers by the names of the classes, where both files have them', () => {
  const model = stating(['cat', 'dog', 'hen']);
  expect(orderBetween(model, stating(['hen', 'cat', 'dog']), 3)).toEqual([1, 2, 0]);
  expect(orderBetween(model, stating(['cat', 'dog', 'hen']), 3)).toBeUndefined();
  expect(orderBetween(model, stating(), 3)).toBeUndefined();
  expect(orderBetween(stating(), stating(['hen', 'cat', 'dog']), 3)).toBeUndefined();
  expect(orderBetween(model, stating(['hen', 'cat', 'dog']), 4)).toBeUndefined();
  expect(() => orderBetween(model, stating(['dog', 'cat', 'fox']), 3)).toThrow(
    /^teacher\.onnx: answers for dog, cat, fox/,
  );
});

describe('a transfer set that is continued', () => {
  const [first, second] = [['cat', 'dog', 'hen'], ['hen', 'cat', 'dog']]; // prettier-ignore
  const names = (labels: readonly string[] | undefined, rows: number) =>
    transferClasses(folder(), { labels, classes: 3, rows });

  it('gives the same samples the same labels, in whatever order the model served has its classes', async () => {
    const teacher = stating(['dog', 'hen', 'cat']);
    const kept = async (labels: readonly string[], rows: number) => {
      const order = orderOfRows(folder(), await names(labels, rows), stating(labels), teacher);
      return [...inClassOrder(Float32Array.of(1, 2, 3, 6, 5, 4), order)];
    };
    const rows = await kept(first, 0);
    expect(rows).toEqual([3, 1, 2, 4, 6, 5]);
    expect(await kept(second, 2)).toEqual(rows);
    // A student and a test split are added to the recipe.
    const file = path.join(folder(), 'recipe.yaml');
    const added = (await readFile(file, 'utf8')).replace('["cat","dog","hen"]', '[cat, dog, hen]');
    await writeFile(file, `${added}student: { model: mlp }\n`);
    expect(await kept(second, 2)).toEqual(rows);
  });

  it('is refused where the teacher does not name its classes and the model has them in another order', async () => {
    const begun = await names(first, 0);
    expect(orderOfRows('kept', begun, stating(first), stating())).toBeUndefined();
    expect(orderOfRows('kept', begun, stating(), stating())).toBeUndefined();
    expect(() => orderOfRows('kept', begun, stating(second), stating())).toThrow(
      /^kept: it holds samples with the classes in another order than student, and teacher\.onnx does not name/,
    );
  });

  it('is refused where nothing says the order of its samples', async () => {
    const file = path.join(folder(), 'recipe.yaml');
    await names(first, 0);
    for (const text of ['dataset: { classes: [cat, dog] }', 'name: mine', '{']) {
      await writeFile(file, text);
      await expect(names(first, 0)).rejects.toThrow(
        /recipe\.yaml: expected `dataset\.classes`, the 3 classes in the order/,
      );
    }
    await rm(file);
    await expect(names(first, 5)).rejects.toThrow(/order of the 5 samples kept beside it, received none$/);
    expect(await names(undefined, 0)).toEqual(['0', '1', '2']);
  });
});
