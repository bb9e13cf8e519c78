import { columnFeeds, columnInputs, withWordNumbers } from '../../../../src/distill/teachers/inputs/column-inputs.ts';
import type { Model, OnnxNode, ValueInfo } from '../../../../src/formats/onnx/model.ts';
import { encodeModel } from '../../../../src/formats/onnx/protobuf.ts';
import { InferenceModel } from '../../../../src/runtime/inference.ts';

const COLUMNS = [{ name: 'age' }, { name: 'home city', words: ['Oslo', 'Paris', 'Rome'] }];

/** A pipeline with an input for each column: the age, and a one of three for the city, an unknown one as none. */
function pipeline(version: number): Model {
  const input = (name: string, dtype: 'int64' | 'string'): ValueInfo => ({ name, dtype, dims: ['n', 1] });
  const encoder: OnnxNode = {
    ...{ op: 'OneHotEncoder', domain: 'ai.onnx.ml', name: 'encoder', inputs: ['home_city'], outputs: ['city'] },
    attrs: new Map([
      ['cats_strings', { type: 'strings', value: ['Rome', 'Oslo', 'Paris'] }],
      ['zeros', { type: 'int', value: 1 }],
    ]),
  };
  const graph = {
    ...{ name: 'g', nodes: [encoder], initializers: [], valueInfos: [] },
    inputs: [input('age', 'int64'), input('home_city', 'string')],
    outputs: [
      { name: 'city', dtype: 'float32', dims: ['n', 1, 3] },
      { name: 'age', dtype: 'int64', dims: ['n', 1] },
    ] as ValueInfo[],
  };
  const opsets = new Map([
    ['', 13],
    ['ai.onnx.ml', version],
  ]);
  return { irVersion: 8, opsets, producerName: '', producerVersion: '', graph, metadata: new Map(), functions: [] };
}

it.each([1, 2, 3])('feeds a pipeline its columns by name, words of version %d too', async (version) => {
  const model = withWordNumbers(pipeline(version), 'p.onnx', COLUMNS);
  const session = new InferenceModel(encodeModel(model), 'pipeline.onnx', { executionProviders: ['cpu'] });
  const inputs = columnInputs(session.inputs, { columns: COLUMNS }, 'p.onnx')!;
  // Ages with the rounding of a normalization; the last city is none of train's.
  const raw = Float32Array.of(41.000004, 0, 0, 1, 17.999998, 1, 0, 0, 63, 0, 0, 0);
  const given = await session.run(columnFeeds(inputs, raw, 3, 'pipeline.onnx'));
  session.dispose();
  expect([...(given['age']!.data as BigInt64Array)]).toEqual([41n, 18n, 63n]);
  expect([...(given['city']!.data as Float32Array)]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 0]);
});

it('feeds the parts of dates by their names, and says where a file takes the date itself', () => {
  const columns = [{ name: 'signup', date: ['days', 'month'] as const }, { name: 'age' }];
  const value = (name: string) => ({ name, dtype: 'float32' as const, shape: ['n', 1] });
  const inputs = columnInputs([value('age'), value('signup_month')], { columns }, 'p.onnx')!;
  const fed = columnFeeds(inputs, Float32Array.of(100, 4, 30, 200, 5, 40), 2, 'p.onnx');
  expect([...(fed['signup_month']!.data as Float32Array), ...(fed['age']!.data as Float32Array)]).toEqual([4, 5, 30, 40]); // prettier-ignore
  const years = columnInputs([value('age'), value('signup_year')], { columns }, 'p.onnx')!;
  // Days since 1970 of 1969-12-31, 2019-12-31 and 2020-01-01, which a normalization has rounded, and a missing date.
  const rows = Float32Array.of(-1, 12, 30, 18261, 12, 40, 18261.998, 1, 50, NaN, NaN, 60);
  expect([...(columnFeeds(years, rows, 4, 'p.onnx')['signup_year']!.data as Float32Array)]).toEqual([1969, 2019, 2020, NaN]); // prettier-ignore
  expect(() => columnInputs([value('age'), value('signup_quarter')], { columns }, 'p.onnx')).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('signup.days, signup.month, signup.year') as string }),
  );
  const dates = [{ name: 'home city', date: ['days', 'month'] as const }, { name: 'age' }];
  expect(() => withWordNumbers(pipeline(1), 'p.onnx', dates)).toThrow(
    'p.onnx: its input "home_city" takes string, and the column of the data holds dates, of which the file does not say what it takes',
  );
});

it('leaves a file of other inputs, and says where numbers meet words', () => {
  const [age, city] = pipeline(1).graph.inputs;
  const value = ({ name }: ValueInfo) => ({ name, dtype: 'float32' as const, shape: ['n', 1] });
  expect(() => columnInputs([value(age!), value({ name: 'height' })], { columns: COLUMNS }, 'p.onnx')).toThrow(
    'p.onnx: takes columns by their names, and the samples have none for "height"',
  );
  expect(
    columnInputs([{ name: 'age', dtype: 'float32', shape: ['n', 4] }], { columns: COLUMNS }, 'p.onnx'),
  ).toBeUndefined();
  expect(withWordNumbers(pipeline(1), 'p.onnx', [{ name: 'age' }])).toEqual(pipeline(1));
  const inputs = columnInputs([value(age!), value(city!)], { columns: COLUMNS }, 'p.onnx')!;
  expect(() => columnFeeds(inputs, Float32Array.of(1, 0, 0, 1), 1, 'p.onnx')).toThrow(
    'p.onnx: its input "home_city" takes float32, and the column of the data holds words',
  );
});
