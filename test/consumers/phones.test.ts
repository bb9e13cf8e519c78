// Needs the features android, ios and react-native.
import vm from 'node:vm';
import typescript from 'typescript';
import { normalized } from '../../src/data/normalized.ts';
import { phoneSamples } from '../support/phones.ts';

it('the samples for phones take as many numbers as the model does', async () => {
  const compilerOptions = { module: typescript.ModuleKind.CommonJS, target: typescript.ScriptTarget.ES2022 };
  const samples = await phoneSamples();
  const { outputText } = typescript.transpileModule(samples['react-native/classifier.ts']!, { compilerOptions });
  const run = (fed: readonly Float32Array[]) => Promise.resolve(fed);
  const globals = { exports: {}, require: () => ({ normalized, loadTensorflowModel: () => Promise.resolve({ run }) }) };
  const open = vm.runInNewContext(`${outputText}; exports.openClassifier`, globals) as (...given: unknown[]) => Promise<(raw: unknown) => Promise<unknown[]>>; // prettier-ignore
  const inputs = [{ dtype: 'float32', shape: [1, 2], from: 0 }];
  const normalization = { scale: 1, mean: [0, 0], std: [1, 1], missing: [null, 5] };
  const classify = await open(0, { input: { shape: [1, 2] }, normalization, models: [{ format: 'tflite', inputs }] }, ['a', 'b']); // prettier-ignore
  expect(await classify([1, 2])).toHaveLength(2);
  await expect(classify([1, 2, 3])).rejects.toThrow('expected 2 numbers, received 3');
  await expect(classify([null, 2])).rejects.toThrow('value 0: expected a number, received null');
  for (const missing of [null, NaN]) expect(await classify([2, missing])).toEqual(await classify([2, 5]));
  expect(samples['android/Classifier.kt']).toContain('require(raw.size == size)');
  expect(samples['ios/Classifier.swift']).toContain('guard raw.count == size');
});
