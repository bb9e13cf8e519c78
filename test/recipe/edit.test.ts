import { editedRecipe } from '../../src/recipe/edit.ts';

const TEXT = `# teacher and student
name: a # the name

teacher:
  onnx: t.onnx # exported by PyTorch
  # a note
  normalize: { mean: 0.5, std: 0.5 } # half

student: { model: mlp } # small
distill:
  loss: kd
  epochs: 2`;

const edited = (...changes: Parameters<typeof editedRecipe>[1]): string => editedRecipe(TEXT, changes, 'r.yaml');

it('sets values in their places and leaves every other character', () => {
  expect(edited({ path: ['teacher', 'normalize', 'mean'], value: [0.1, 0.25] })).toBe(
    TEXT.replace('mean: 0.5,', 'mean: [0.1, 0.25],'),
  );
  expect(edited({ path: ['teacher', 'onnx'], value: 'yes' })).toBe(TEXT.replace('t.onnx #', '"yes" #'));
  expect(edited({ path: ['distill', 'epochs'], value: 3 })).toBe(TEXT.replace('epochs: 2', 'epochs: 3'));
  expect(edited({ path: ['teacher'], value: { train: { model: 'mlp' } } })).toContain(
    'teacher:\n  { train: { model: mlp } }',
  );
});

it('adds keys to mappings in lines and in braces, and mappings that are missing', () => {
  expect(edited({ path: ['teacher', 'layout'], value: 'nhwc' }, { path: ['student', 'hidden'], value: [8] })).toBe(
    TEXT.replace('# half', '# half\n  layout: nhwc').replace('model: mlp }', 'model: mlp, hidden: [8] }'),
  );
  expect(edited({ path: ['dataset', 'text', 'column'], value: 'a, b' })).toBe(
    `${TEXT}\ndataset: { text: { column: "a, b" } }`,
  );
  expect(editedRecipe('teacher:\nname: a\n', [{ path: ['teacher', 'onnx'], value: 'b' }], 'r.yaml')).toBe(
    'teacher: { onnx: b }\nname: a\n',
  );
  expect(editedRecipe('a: {}\n', [{ path: ['a', 'b'], value: 1 }], 'r.yaml')).toBe('a: { b: 1 }\n');
  const list = 'teacher:\n  ensemble:\n    - onnx: a\n    - { onnx: b }\n';
  const both = [0, 1].map((i) => ({ path: ['teacher', 'ensemble', i, 'layout'], value: 'nchw' }));
  expect(editedRecipe(list, both, 'r.yaml')).toBe(
    'teacher:\n  ensemble:\n    - onnx: a\n      layout: nchw\n    - { onnx: b, layout: nchw }\n',
  );
});

it('renames keys and takes them out', () => {
  expect(edited({ path: ['distill', 'loss'], rename: 'method' })).toBe(TEXT.replace('loss: kd', 'method: kd'));
  expect(edited({ path: ['distill', 'loss'], value: undefined })).toBe(TEXT.replace('  loss: kd\n', ''));
  expect(edited({ path: ['teacher', 'normalize', 'mean'], value: undefined })).toBe(TEXT.replace('mean: 0.5, ', ''));
  expect(edited({ path: ['teacher', 'normalize', 'std'], value: undefined })).toBe(TEXT.replace(', std: 0.5', ''));
});

it('refuses a change of a value that also stands elsewhere', () => {
  const shared = 'a: &x { b: 1 }\nc: *x\n';
  expect(() => editedRecipe(shared, [{ path: ['c', 'b'], value: 2 }], 'r.yaml')).toThrow(
    'r.yaml: c.b cannot be changed in its place',
  );
  expect(() => editedRecipe(shared, [{ path: ['a', 'b'], value: 2 }], 'r.yaml')).toThrow('cannot be changed');
});
