import { preparationOf } from '../../../../src/distill/teachers/inputs/preparation.ts';

const of = (entries: Readonly<Record<string, unknown>>) =>
  new Map(Object.entries(entries).map(([key, value]) => [key, JSON.stringify(value)]));

describe('the names of what a file answers', () => {
  const dataset = { sampleShape: [4], classNames: ['a', 'b', 'c'] };
  const classesOf = (metadata: ReadonlyMap<string, string>) => preparationOf('x.onnx', {}, metadata, dataset).classes;

  it.each(['labels', 'targets'])('%s in another order than those of the data are put in order', (key) => {
    expect(classesOf(of({ [key]: ['b', 'c', 'a'] }))).toEqual(['b', 'c', 'a']);
    expect(classesOf(of({ [key]: ['a', 'b', 'c'] }))).toBeUndefined();
    expect(classesOf(of({ [key]: ['x', 'y', 'z'] }))).toBeUndefined();
    expect(classesOf(of({ [key]: ['a', 'x', 'c'] }))).toBeUndefined();
  });

  it('numbers may count from elsewhere', () => {
    const places = { ...dataset, classNames: ['0', '1', '2'] };
    const of3 = (...names: string[]) => preparationOf('x.onnx', {}, of({ labels: names }), places).classes;
    expect([of3('1', '2', '3'), of3('0', '2', '4')]).toEqual([undefined, undefined]);
    expect(of3('2', '0', '1')).toEqual(['2', '0', '1']);
    expect(() => of3('1', '0', 'a')).toThrow(/1 is at another place$/);
  });

  it.each(['labels', 'targets'])('%s of which some are at another place and others are unknown are refused', (key) => {
    const metadata = of({ [key]: ['b', 'a', 'x'] });
    expect(() => classesOf(metadata)).toThrow(
      /^x\.onnx: answers for b, a, x, and the data set has a, b, c: b is at another place$/,
    );
    expect(preparationOf('x.onnx', { classes: ['b', 'a', 'c'] }, metadata, dataset).classes).toEqual(['b', 'a', 'c']);
  });
});

it('sounds of another rate than those that a file was made for are refused', () => {
  const sounds = { sampleShape: [8000, 1], classNames: ['a', 'b'] };
  const metadata = of({ sound: { rate: 16000 } });
  expect(() => preparationOf('x.onnx', undefined, metadata, { ...sounds, rate: 8000 })).toThrow(
    /^x\.onnx: was made for sounds of 16000 values a second, and the data have 8000$/,
  );
  expect(preparationOf('x.onnx', undefined, metadata, { ...sounds, rate: 16000 }).from).toBe('data');
  // Arrays of values say nothing of their rate.
  expect(preparationOf('x.onnx', undefined, metadata, sounds).from).toBe('data');
});

it('rows whose columns lie in another order than those that a file was made for are refused', () => {
  const named = (...names: string[]) => names.map((name) => ({ name }));
  const metadata = of({ columns: named('age', 'income') });
  const asked = (columns: readonly { name: string }[]) =>
    preparationOf('x.onnx', undefined, metadata, { sampleShape: [2], classNames: ['a', 'b'], columns });
  expect(() => asked(named('income', 'age'))).toThrow(
    /^x\.onnx: was made for 2 columns, and the data have 2: its column 1 is age, that of the data income$/,
  );
  expect(() => asked(named('age'))).toThrow(
    /for 2 columns, and the data have 1: its column 2 is income, that of the data none$/,
  );
  expect(() => asked(named('age', 'income', 'x'))).toThrow(/its column 3 is none, that of the data x$/);
  expect(asked(named('Age', ' income')).from).toBe('data');
  expect(asked(named('age', 'income')).from).toBe('data');
  // Columns of a file without a header, and the numbers of a list, have no names.
  expect(asked(named('0', '1')).from).toBe('data');
  expect(asked(named('x[0]', 'x[1]')).from).toBe('data');
});
